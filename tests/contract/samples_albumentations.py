"""What the contract suite needs to know of albumentations."""

from typing import Any

COUNT = 105
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "Affine": {"rotate": [-30, 30], "scale": [0.8, 1.2]},
    "AtLeastOneBBoxRandomCrop": {"height": 40, "width": 40},
    "CLAHE": {"tile_grid_size": [2, 2]},
    "CenterCrop": {"height": 40, "width": 40},
    "CenterCrop3D": {"size": [4, 12, 12]},
    "Crop": {"x_max": 30, "y_max": 30},
    "ConstrainedCoarseDropout": {
        "mask_indices": [1],
        "hole_height_range": [0.4, 0.6],
        "hole_width_range": [0.4, 0.6],
    },
    "CropAndPad": {"percent": [-0.2, 0.2]},
    "CropNonEmptyMaskIfExists": {"height": 40, "width": 40},
    "Downscale": {"scale_range": [0.2, 0.8]},
    "GridElasticDeform": {"num_grid_xy": [4, 4], "magnitude": 10},
    "LongestMaxSize": {"max_size": 40},
    "Pad": {"padding": 5},
    "Pad3D": {"padding": [1, 2, 3]},
    "PadIfNeeded": {"min_height": 100, "min_width": 100},
    "PadIfNeeded3D": {"min_zyx": [10, 20, 24], "position": "random"},
    "Posterize": {"num_bits": [2, 6]},
    "RandomCrop": {"height": 40, "width": 40},
    "RandomCrop3D": {"size": [4, 12, 12]},
    "RandomGravel": {"number_of_patches": 20, "gravel_roi": [0, 0, 1, 1]},
    "RandomResizedCrop": {"size": [40, 40]},
    "RandomSizedBBoxSafeCrop": {"height": 40, "width": 40},
    "RandomSizedCrop": {"min_max_height": [20, 40], "size": [32, 32]},
    "Resize": {"height": 40, "width": 40},
    "SmallestMaxSize": {"max_size": 40},
    "Solarize": {"threshold_range": [0.2, 0.8]},
    "XYMasking": {"num_masks_x": 2, "mask_x_length": 10},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "AutoContrast",
    "CenterCrop",
    "CenterCrop3D",
    "Crop",
    "Equalize",
    "HorizontalFlip",
    "InvertImg",
    "LongestMaxSize",
    "Morphological",
    "NoOp",
    "Pad",
    "Pad3D",
    "PadIfNeeded",
    "Resize",
    "SmallestMaxSize",
    "TimeReverse",
    "ToGray",
    "ToRGB",
    "ToSepia",
    "Transpose",
    "VerticalFlip",
}
"""Classes that draw nothing with these parameters."""
