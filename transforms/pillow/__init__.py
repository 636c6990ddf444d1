"""Pillow: images without OpenCV."""
