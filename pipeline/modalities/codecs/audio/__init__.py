"""Audio files and (channels, length) samples."""
