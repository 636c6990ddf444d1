"""Leaks put into real pictures, texts and sounds on purpose, to see which are found."""
