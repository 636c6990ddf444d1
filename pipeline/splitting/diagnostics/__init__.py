"""What people should know of the splits: shares, contradictions, spellings."""
