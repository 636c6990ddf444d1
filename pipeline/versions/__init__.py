"""The folder of one dataset version: how its files are published, whether all are there, what does not belong."""
