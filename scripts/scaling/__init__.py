"""What `scripts/scale.py` measures and reckons."""
