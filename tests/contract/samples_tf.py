"""What the contract suite needs to know of tf."""

from typing import Any

COUNT = 25
"""Classes that a recipe may name."""

_BOX = {"offset_height": 4, "offset_width": 5, "target_height": 40, "target_width": 42}
EXAMPLES: dict[str, dict[str, Any]] = {
    "image.adjust_brightness": {"delta": 0.2},
    "image.adjust_contrast": {"contrast_factor": 1.5},
    "image.adjust_gamma": {"gamma": 1.5},
    "image.adjust_hue": {"delta": 0.2},
    "image.adjust_jpeg_quality": {"jpeg_quality": 30},
    "image.adjust_saturation": {"saturation_factor": 0.5},
    "image.central_crop": {"central_fraction": 0.7},
    "image.crop_to_bounding_box": _BOX,
    "image.pad_to_bounding_box": {**_BOX, "target_height": 80, "target_width": 90},
    "image.resize": {"size": [40, 50]},
    "image.resize_with_crop_or_pad": {"target_height": 50, "target_width": 90},
    "image.resize_with_pad": {"target_height": 50, "target_width": 90},
    "image.stateless_random_brightness": {"max_delta": 0.3},
    "image.stateless_random_contrast": {"lower": 0.5, "upper": 1.5},
    "image.stateless_random_crop": {"size": [40, 42]},
    "image.stateless_random_hue": {"max_delta": 0.3},
    "image.stateless_random_jpeg_quality": {"min_jpeg_quality": 5, "max_jpeg_quality": 80},
    "image.stateless_random_saturation": {"lower": 0.3, "upper": 1.8},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "image.adjust_brightness",
    "image.adjust_contrast",
    "image.adjust_gamma",
    "image.adjust_hue",
    "image.adjust_jpeg_quality",
    "image.adjust_saturation",
    "image.central_crop",
    "image.crop_to_bounding_box",
    "image.flip_left_right",
    "image.flip_up_down",
    "image.pad_to_bounding_box",
    "image.resize",
    "image.resize_with_crop_or_pad",
    "image.resize_with_pad",
    "image.rgb_to_grayscale",
    "image.rot90",
    "image.transpose",
}
"""Classes that draw nothing with these parameters."""
