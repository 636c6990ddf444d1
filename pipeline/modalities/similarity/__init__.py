"""How alike two payloads are. Pure: no splits, no storage, no Beam."""
