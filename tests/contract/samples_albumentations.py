"""What the contract suite needs to know of albumentations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFont

COUNT = 112
"""Classes that a recipe may name."""


def _pictures(folder: Path) -> dict[str, Any]:
    """Four pictures of other sizes and colours than the suite's; one of them is transparent at its edges."""
    for number, (name, mode) in enumerate([("a.png", "RGB"), ("b.png", "RGBA"), ("c.png", "L"), ("d.jpg", "RGB")]):
        if not (folder / name).exists():
            rng = np.random.Generator(np.random.Philox(key=number))
            coarse = rng.integers(0, 200, (4, 5, 3), dtype=np.uint8) // (number + 1) * 2
            picture = Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8))).convert(mode)
            if mode == "RGBA":
                picture.putalpha(Image.new("L", (40, 32), 0))
                picture.paste((250, 20, 20, 255), (8, 6, 30, 26))
            picture.save(folder / name)
    return {"reference": {"folder": str(folder)}}


def _mosaic(folder: Path) -> dict[str, Any]:
    return {**_pictures(folder), "target_size": [48, 56], "cell_shape": [40, 40]}


def _text(folder: Path) -> dict[str, Any]:
    """A font of Pillow's own, written to a file."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    if not (folder / "font.ttf").exists():
        (folder / "font.ttf").write_bytes(font.font_bytes)
    texts = [{"bbox": [0.1, 0.1, 0.9, 0.5], "text": "half price"}, {"bbox": [0, 0.5, 1, 1], "text": "to the sea"}]
    chosen = {"augmentations": [None, "swap", "insertion"], "fraction_range": [0.5, 1]}
    return {"font_path": str(folder / "font.ttf"), "metadata": texts, **chosen}


EXAMPLES: dict[str, dict[str, Any] | Callable[[Path], dict[str, Any]]] = {
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
    "FDA": _pictures,
    "GridElasticDeform": {"num_grid_xy": [4, 4], "magnitude": 10},
    "HistogramMatching": _pictures,
    "LongestMaxSize": {"max_size": 40},
    "Mosaic": _mosaic,
    "OverlayElements": _pictures,
    "Pad": {"padding": 5},
    "Pad3D": {"padding": [1, 2, 3]},
    "PadIfNeeded": {"min_height": 100, "min_width": 100},
    "PixelDistributionAdaptation": _pictures,
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
    "TextImage": _text,
    "XYMasking": {"num_masks_x": 2, "mask_x_length": 10},
}
"""Parameters of classes that need some, or that do nothing by default; a function makes the files that they name."""

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
