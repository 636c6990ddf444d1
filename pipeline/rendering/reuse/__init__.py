"""Rows of a committed version that are taken as they are by one that only lays them out otherwise.

In: families of records, and the files of that version. Out: the same families, rendered, where nothing has changed.
"""
