"""Loads albumentations when it is imported: for the process that workers are forked from."""

from transforms.albumentations import library

library.loaded()
