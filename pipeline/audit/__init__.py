"""What two finished sets share that they should not. Reads what is written; knows nothing of how it was split."""
