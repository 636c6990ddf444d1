"""Labels that are bound to a field: read out of their columns, moved with the value, written back as they came."""
