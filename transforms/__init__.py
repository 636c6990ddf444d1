"""Recipes and library adapters: values in, values out, randomness as an argument. No Beam, no storage."""
