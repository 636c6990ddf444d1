"""Files that tables name: where they are, whether they may be read, what they hold."""
