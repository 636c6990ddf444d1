"""How steps move labels: spans, segments, filters, volumes."""
