"""Libraries kept from global state: random generators, warnings, imports, caches."""
