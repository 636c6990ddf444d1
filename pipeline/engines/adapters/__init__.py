"""One module per Beam runner: how jobs reach it, what it must offer, how they are watched and ended."""
