"""What the submitting machine does: run, preview, verify, replay, audit. One module for each command."""
