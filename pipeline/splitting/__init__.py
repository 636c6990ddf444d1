"""Splits that no record tells by itself: relatives found in the whole input, and shares met class by class."""
