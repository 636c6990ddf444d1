"""What the contract suite needs to know of torchvision."""

from typing import Any

COUNT = 38
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "CenterCrop": {"size": [40, 50]},
    "ColorJitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1},
    "GaussianBlur": {"kernel_size": 5},
    "JPEG": {"quality": [10, 90]},
    "Pad": {"padding": [3, 5], "fill": [10, 20, 30]},
    "RandomAdjustSharpness": {"sharpness_factor": 2.5},
    "RandomAffine": {"degrees": 30, "translate": [0.1, 0.2], "scale": [0.8, 1.2], "shear": [-10, 10, -10, 10]},
    "RandomCrop": {"size": [40, 50]},
    "RandomPosterize": {"bits": 3},
    "RandomResize": {"min_size": 30, "max_size": 90},
    "RandomResizedCrop": {"size": [40, 50]},
    "RandomRotation": {"degrees": 45, "expand": True, "interpolation": "bilinear"},
    "RandomShortestSize": {"min_size": [30, 40, 50, 60]},
    "RandomSolarize": {"threshold": 120},
    "Resize": {"size": [40, 50]},
    "ScaleJitter": {"target_size": [60, 60]},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "CenterCrop",
    "Grayscale",
    "Identity",
    "Pad",
    "RGB",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "SanitizeBoundingBoxes",
}
"""Classes that draw nothing with these parameters."""
