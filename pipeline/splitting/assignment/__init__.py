"""Groups of records in, a split for each out: stratified, by hash or by time."""
