"""Processes of this machine: what they have done so far."""
