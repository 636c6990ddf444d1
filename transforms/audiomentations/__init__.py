"""audiomentations: sounds."""
