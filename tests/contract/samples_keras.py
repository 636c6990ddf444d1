"""What the contract suite needs to know of keras."""

from typing import Any

COUNT = 28
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "CenterCrop": {"height": 40, "width": 40},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.8},
    "RandomColorJitter": {"brightness_factor": 0.2, "contrast_factor": 0.3, "saturation_factor": [0.3, 0.7]},
    "RandomContrast": {"factor": [0.4, 0.6]},
    "RandomCrop": {"height": 40, "width": 48},
    "RandomElasticTransform": {"factor": [1.0, 1.0], "scale": [0.3, 0.5]},
    "RandomErasing": {"fill_value": 128},
    "RandomGaussianBlur": {"sigma": [0.3, 1.0]},
    "RandomHue": {"factor": 0.5},
    "RandomPosterization": {"factor": [2, 6]},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": [0.3, 0.7]},
    "RandomSharpness": {"factor": 0.9},
    "RandomShear": {"x_factor": 0.3},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Resizing": {"height": 40, "width": 40},
    "Solarization": {"addition_factor": 0.2, "threshold_factor": 0.5},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "AutoContrast",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "Resizing",
}
"""Classes that draw nothing with these parameters."""
