"""Parquet input: a unit is a row group."""
