"""What the contract suite runs: a value of each modality, parameters where defaults are not enough, digests."""

import sys
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from transforms import registry
from transforms.recipe import Recipe, build_recipe
from transforms.values import AudioValue, ImageValue, TextValue, Value

SEEDS = tuple(bytes([number]) * 16 for number in range(1, 9))

EXAMPLES: dict[str, dict[str, Any]] = {
    "albumentations.Affine": {"rotate": [-30, 30], "scale": [0.8, 1.2]},
    "albumentations.CLAHE": {"tile_grid_size": [2, 2]},
    "albumentations.CenterCrop": {"height": 40, "width": 40},
    "albumentations.Crop": {"x_max": 30, "y_max": 30},
    "albumentations.CropAndPad": {"percent": [-0.2, 0.2]},
    "albumentations.Downscale": {"scale_range": [0.2, 0.8]},
    "albumentations.GridElasticDeform": {"num_grid_xy": [4, 4], "magnitude": 10},
    "albumentations.LongestMaxSize": {"max_size": 40},
    "albumentations.Pad": {"padding": 5},
    "albumentations.PadIfNeeded": {"min_height": 100, "min_width": 100},
    "albumentations.Posterize": {"num_bits": [2, 6]},
    "albumentations.RandomCrop": {"height": 40, "width": 40},
    "albumentations.RandomGravel": {"number_of_patches": 20, "gravel_roi": [0, 0, 1, 1]},
    "albumentations.RandomResizedCrop": {"size": [40, 40]},
    "albumentations.RandomSizedCrop": {"min_max_height": [20, 40], "size": [32, 32]},
    "albumentations.Resize": {"height": 40, "width": 40},
    "albumentations.SmallestMaxSize": {"max_size": 40},
    "albumentations.Solarize": {"threshold_range": [0.2, 0.8]},
    "albumentations.XYMasking": {"num_masks_x": 2, "mask_x_length": 10},
    "audiomentations.AdjustDuration": {"duration_seconds": 0.3},
    "audiomentations.RepeatPart": {"min_part_duration": 0.1, "max_part_duration": 0.3},
    "nlpaug.ReservedAug": {"reserved_tokens": [["quick", "fast", "rapid"], ["good", "nice", "fine"]]},
}


@cache
def value_of(modality: str) -> Value:
    rng = np.random.Generator(np.random.Philox(key=5))
    if modality == "image":
        coarse = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
        noise = rng.integers(-20, 21, (64, 80, 3))
        pixels = np.kron(coarse, np.ones((8, 8, 1), np.uint8)) + noise
        return ImageValue(np.clip(pixels, 0, 255).astype(np.uint8))
    if modality == "audio":
        envelope = np.concatenate([np.zeros(500), np.linspace(0, 0.9, 7000), np.zeros(500)])
        return AudioValue((rng.standard_normal(8000) * 0.3 * envelope)[np.newaxis].astype(np.float32), 16_000)
    return TextValue("The quick brown fox jumps over the lazy dog because it was hungry. It was a good day. Was it?")


def params_of(name: str) -> dict[str, Any]:
    """Example parameters, with p=1 where the library has it: every step of the suite is applied."""
    always = {} if name.startswith("nlpaug.") else {"p": 1.0}
    return {**EXAMPLES.get(name, {}), **always}


def recipe_of(name: str) -> Recipe:
    return build_recipe([{name: params_of(name)}], modality_of(name))


def modality_of(name: str) -> str:
    adapter, cls = registry.find(name)
    return adapter.modality(cls)


def content(value: Value) -> bytes:
    if isinstance(value, ImageValue):
        return str(value.pixels.shape).encode() + value.pixels.tobytes()
    if isinstance(value, AudioValue):
        return f"{value.samples.shape} {value.sample_rate}".encode() + value.samples.tobytes()
    return value.text.encode()


def digest(recipe: Recipe, seed: bytes, value: Value) -> str:
    """Digest of the result and of the recorded parameters."""
    result, applied = recipe.apply(value, seed)
    record = "".join(step.name + step.params for step in applied)
    return blake2b(content(result) + record.encode(), digest_size=8).hexdigest()


def digests(names: list[str]) -> dict[str, str]:
    return {name: digest(recipe_of(name), SEEDS[0], value_of(modality_of(name))) for name in names}


if __name__ == "__main__":  # another process, for test_contract.py
    sys.stdout.buffer.write(orjson.dumps(digests(sys.argv[1:])))
