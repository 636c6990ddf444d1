"""Which other records a step may look at or blend with."""
