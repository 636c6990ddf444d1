"""Listing and splits in, a plan out: keys, seeds, copies, blocks, shards, fingerprint. Nothing is rendered."""
