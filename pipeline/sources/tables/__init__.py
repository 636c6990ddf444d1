"""CSV, TSV and JSON Lines input: a unit is a run of whole rows."""
