"""`fanbeam init`: findings of `sources.inspection` in, a config with comments out."""
