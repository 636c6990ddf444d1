"""What the contract suite needs to know of pillow."""

from typing import Any

COUNT = 40
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "BoxBlur": {"radius": [1, 5]},
    "Brightness": {"factor": [0.5, 1.5]},
    "Color": {"factor": [0.2, 0.8]},
    "Colorize": {"black": "navy", "white": "yellow", "midpoint": [100, 150]},
    "Contain": {"size": [40, 40]},
    "Contrast": {"factor": [0.5, 1.5]},
    "Cover": {"size": [40, 40]},
    "Crop": {"border": [1, 9]},
    "Expand": {"border": [1, 9]},
    "Fit": {"size": [40, 40]},
    "Pad": {"size": [90, 90]},
    "Posterize": {"bits": [1, 4]},
    "Resize": {"size": [40, 40]},
    "Rotate": {"angle": [-30, 30]},
    "Scale": {"factor": [0.5, 1.5]},
    "Sharpness": {"factor": [2, 4]},
    "Thumbnail": {"size": [40, 40]},
    "Transpose": {"method": "rotate_90"},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "Autocontrast",
    "Colorize",
    "Contain",
    "Contour",
    "Cover",
    "Detail",
    "EdgeEnhance",
    "EdgeEnhanceMore",
    "Emboss",
    "Equalize",
    "FindEdges",
    "Fit",
    "Flip",
    "GaussianBlur",
    "Grayscale",
    "Invert",
    "MaxFilter",
    "MedianFilter",
    "MinFilter",
    "Mirror",
    "ModeFilter",
    "Pad",
    "Resize",
    "Sharpen",
    "Smooth",
    "SmoothMore",
    "Solarize",
    "Thumbnail",
    "Transpose",
    "UnsharpMask",
}
"""Classes that draw nothing with these parameters."""
