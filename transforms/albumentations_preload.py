"""Loads albumentations when it is imported: for the process that workers are forked from."""

from transforms import albumentations_library

albumentations_library.loaded()
