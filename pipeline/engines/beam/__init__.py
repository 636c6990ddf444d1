"""The stages as Beam steps. The only package that imports Beam, besides `engines.adapters`."""
