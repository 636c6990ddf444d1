"""What the contract suite needs to know of vidaug."""

from typing import Any

COUNT = 26
"""Operations that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "Add": {"value": [-60, 60]},
    "CenterCrop": {"size": [20, 24]},
    "CornerCrop": {"size": 20},
    "Downsample": {"ratio": [0.3, 0.9]},
    "ElasticTransformation": {"alpha": 40, "sigma": 4},
    "GaussianBlur": {"sigma": [0.5, 3]},
    "Multiply": {"value": [0.5, 1.5]},
    "PiecewiseAffineTransform": {
        "displacement": 5,
        "displacement_kernel": 2,
        "displacement_magnification": 2,
    },
    "RandomCrop": {"size": 20},
    "RandomResize": {"rate": 0.3},
    "RandomRotate": {"degrees": 30},
    "RandomShear": {"x": 0.3, "y": 0.2},
    "RandomTranslate": {"x": 9, "y": 9},
    "Superpixel": {"p_replace": 0.5, "n_segments": 20},
    "TemporalBeginCrop": {"size": 5},
    "TemporalCenterCrop": {"size": 5},
    "TemporalFit": {"size": [5, 20]},
    "TemporalRandomCrop": {"size": 5},
    "Upsample": {"ratio": [1.2, 2.5]},
}
"""Parameters of operations that need some, or that do nothing by default."""

SEEDLESS = {
    "CenterCrop",
    "HorizontalFlip",
    "InverseOrder",
    "InvertColor",
    "TemporalBeginCrop",
    "TemporalCenterCrop",
    "VerticalFlip",
}
"""Operations that draw nothing with these parameters."""
