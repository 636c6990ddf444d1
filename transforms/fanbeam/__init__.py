"""Blends of several records, written here."""
