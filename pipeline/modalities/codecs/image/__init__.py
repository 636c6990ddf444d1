"""Image files and (height, width, channels) pixels."""
