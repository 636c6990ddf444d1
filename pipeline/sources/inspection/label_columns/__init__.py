"""Columns that label places in a payload: what `init` binds to a field, and what `check` warns of."""
