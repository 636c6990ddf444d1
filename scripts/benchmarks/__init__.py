"""Contenders of bench.py: each is a program of its own."""
