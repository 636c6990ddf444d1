"""Keras image layers."""
