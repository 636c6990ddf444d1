"""Volumes on their way through albumentations: its 3D classes as they are, all others slice by slice.

3D classes only move, cut and fill voxels: they get the volume's own numbers, of any dtype. The others draw once and do
the same to each slice; what is not uint8 they see as float32, with the value's window at 0..1, the range that the
library takes floating point pixels to have.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from transforms.adapter_checks import concise
from transforms.isolation.philox import chance
from transforms.labels.filters import kept_points_3d
from transforms.labels.volume_motion import probes, straight
from transforms.values import Keypoints, VolumeValue

NOT_DRAWN = frozenset(
    {"shape", "interpolation", "fill", "fill_mask", "bbox_matrix", "volume_shape", "overlay_data", "processed_cells"}
    | {"reference_image", "target_image", "target_mask_shape", "target_shape"}
)
"""Parameters that the library records and that no generator decides."""

_SCALES = frozenset({"LongestMaxSize", "RandomScale", "Resize", "SmallestMaxSize"})
_CUTS_AND_SCALES = frozenset({"CropAndPad", "RandomResizedCrop", "RandomSizedCrop"})

Array = np.ndarray[Any, Any]
Errors = tuple[type[Exception], ...]
_MASK = "mask3d"


class VolumeStep:
    """One albumentations instance on volumes. `seed` begins its generators anew; `errors` are those for bad values.

    The result is that of the library called directly, with p=1, after
    `set_random_state(*isolation.philox.generators(seed))`: 3D classes with `volume`, `mask3d` and `keypoints`, others
    with `images`, `masks` (all slices) and `keypoints`.
    """

    __slots__ = ("_errors", "_keeps_place", "_name", "_p", "_seed", "_solid", "_step", "plain")

    def __init__(
        self,
        name: str,
        step: Any,
        seed: Callable[[bytes], None],
        errors: tuple[type[Exception], ...],
        plain: Any = None,
    ) -> None:
        """`plain`: the same class with empty new ground, where this one mirrors (see `borders`)."""
        from albumentations import ImageOnlyTransform
        from albumentations.core.transforms_interface import Transform3D

        self._name = name
        self._step = step
        self._seed = seed
        self._errors: Errors = (*errors, LookupError, RuntimeError, AttributeError)
        self._p = float(step.p)
        self._solid = isinstance(step, Transform3D)
        self.plain = plain
        self._keeps_place = isinstance(step, ImageOnlyTransform)

    def __call__(self, value: Any, seed: bytes) -> tuple[Any, dict[str, Any] | None]:
        """Apply to a `VolumeValue`; raises ValueError for a volume that the class cannot take."""
        if not isinstance(value, VolumeValue):
            raise TypeError(f"albumentations.{self._name} works on volumes, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        self._seed(seed)
        try:
            result, drawn = self._applied(value)
        except self._errors as error:
            shape = " x ".join(map(str, value.voxels.shape))
            raise ValueError(f"albumentations.{self._name}, {shape}: {concise(error)}") from error
        if not drawn:
            return value, None
        return result, {key: item for key, item in drawn.items() if key not in NOT_DRAWN and item is not None}

    def _applied(self, value: VolumeValue) -> tuple[VolumeValue, dict[str, Any]]:
        target = "volume" if self._solid else "images"
        seen = value.voxels if self._solid else to_shares(value)
        labels = {} if self._keeps_place else self._labels(value)
        self._step.set_processors({"keypoints": _point_processor()} if "keypoints" in labels else {})
        result = self._step(force_apply=True, **{target: seen}, **labels)
        voxels = self._checked(result[target], seen)
        voxels = voxels if self._solid else from_shares(voxels, value)
        changed = replace(value, voxels=voxels)
        if not self._keeps_place:
            changed = replace(changed, origin=self._origin(value, voxels))
        if labels:
            if self.plain is not None and "keypoints" in labels:
                points = self.plain.apply_with_params(self._step.params, keypoints=labels["keypoints"])
                result = {**result, **points}
            changed = replace(changed, keypoints=_points(result, voxels, value), masks=self._masks(result, value))
        return changed, self._step.params

    def _origin(self, before: VolumeValue, after: Array) -> Array | None:
        """Where the voxels were in the volume as it was read, by the way that the step moves some points."""
        if before.origin is None:
            return None
        sizes = before.voxels.shape[:3], after.shape[:3]
        given = probes(*sizes[0])
        found = np.asarray(
            (self.plain or self._step).apply_to_keypoints(given.copy(), **self._step.params), np.float64
        ).reshape(-1, 6)
        numbers = found[:, 5].astype(np.int64)
        back = straight(found[:, :3], given[numbers, :3].astype(np.float64), sizes[0] == sizes[1])
        if self._name in _SCALES:  # sides are rounded to whole pixels, factors for points are not
            back = np.diag([sizes[0][2] / sizes[1][2], sizes[0][1] / sizes[1][1], 1.0, 1.0])
        if self._name in _SCALES | _CUTS_AND_SCALES:  # points are scaled from the edge of the first pixel
            back[:2, 3] += back[:2, :2].sum(axis=1) / 2 - 0.5
        return np.asarray(before.origin @ back)

    def _labels(self, value: VolumeValue) -> dict[str, Any]:
        """Labels as arguments of the step."""
        given: dict[str, Any] = {}
        if value.keypoints is not None:
            given["keypoints"] = _numbered_points(value.keypoints)
        if value.masks is None or not len(value.masks):
            return given
        if not self._solid:
            return {**given, "masks": list(value.masks.reshape(-1, *value.masks.shape[2:]))}
        masks = {f"{_MASK}_{number}": mask for number, mask in enumerate(value.masks)}
        self._step.add_targets(dict.fromkeys(masks, _MASK))
        return {**given, **masks}

    def _masks(self, result: Mapping[str, Any], before: VolumeValue) -> Array | None:
        masks = before.masks
        if masks is None or not len(masks):
            return masks
        if self._solid:
            return np.stack([np.ascontiguousarray(result[f"{_MASK}_{number}"]) for number in range(len(masks))])
        slices = np.stack([np.asarray(mask) for mask in result["masks"]])
        return slices.reshape(*masks.shape[:2], *slices.shape[1:])

    def _checked(self, result: Array, seen: Array) -> Array:
        """Give the result as (depth, height, width, channels) of the same dtype, or raise ValueError."""
        result = np.asarray(result)
        if result.ndim == 3:
            result = result[..., np.newaxis]
        if result.dtype != seen.dtype or result.ndim != 4 or result.size == 0:
            raise ValueError(f"it gave {result.shape} {result.dtype}, not a volume of {seen.dtype}")
        if self._keeps_place and result.shape[:3] != seen.shape[:3]:
            raise ValueError(f"it gave another size, {result.shape}")
        return np.ascontiguousarray(result)


def to_shares(value: VolumeValue) -> Array:
    """Voxels as the library takes pixels: uint8 as they are, others as float32 with the window at 0..1."""
    voxels = value.voxels
    if voxels.dtype == np.uint8 or (voxels.dtype == np.float32 and value.window == (0.0, 1.0)):
        return voxels
    low, span = _window(value)
    shares: Array = (voxels.astype(np.float32) - low) / span
    return shares


def from_shares(shares: Array, before: VolumeValue) -> Array:
    """Voxels in the dtype and range of the volume that `to_shares` was given; whole numbers are rounded and clipped."""
    kind = before.voxels.dtype
    if shares.dtype == kind and (kind == np.uint8 or before.window == (0.0, 1.0)):
        return shares
    low, span = _window(before)
    voxels = shares * span + low
    if kind == np.float32:
        return voxels
    limits = np.iinfo(kind.name)
    whole: Array = np.clip(np.rint(voxels), limits.min, limits.max).astype(kind)
    return whole


def _window(value: VolumeValue) -> tuple[np.float32, np.float32]:
    low, high = value.window
    return np.float32(low), np.float32(high - low if high > low else 1.0)


def _numbered_points(points: Keypoints) -> Array:
    """Points as x, y, z, angle, scale and the entry's number."""
    count = len(points.points)
    rest = np.tile(np.array([0, 1], np.float32), (count, 1))
    numbers = np.arange(count, dtype=np.float32)[:, np.newaxis]
    return np.concatenate([points.points.astype(np.float32), rest, numbers], axis=1)


def _points(result: Mapping[str, Any], voxels: Array, before: VolumeValue) -> Keypoints | None:
    points = before.keypoints
    if points is None:
        return None
    found = np.asarray(result["keypoints"]).reshape(-1, 6)
    moved = Keypoints(found[:, :3].astype(np.float64), points.rows[found[:, 5].astype(np.int64)])
    depth, height, width = voxels.shape[:3]
    return kept_points_3d(moved, depth, height, width)


@cache
def _point_processor() -> Any:
    from albumentations.core.keypoints_utils import KeypointParams, KeypointsProcessor

    return KeypointsProcessor(KeypointParams("xyz"))


def mend(library: ModuleType) -> None:
    """Correct two places of the final release where 3D classes do not do what they document.

    `CoarseDropout3D` leaves masks alone unless `fill_mask` is given; as released it fills them like the volume.
    `PadIfNeeded3D(position="random")` pads to the size asked for; as released it draws front and back independently.
    """
    classes = library.augmentations.transforms3d.transforms
    functions = library.augmentations.transforms3d.functional
    classes.CoarseDropout3D.apply_to_mask3d = classes.CoarseDropout3D.apply_to_mask
    general = functions.adjust_padding_by_position3d

    def padding(paddings: list[tuple[int, int]], position: str, py_random: Any) -> tuple[int, ...]:
        if position == "center":
            return tuple(general(paddings, position, py_random))
        sums = [sum(pair) for pair in paddings]
        fronts = [py_random.randint(0, total) for total in sums]
        return tuple(size for front, total in zip(fronts, sums, strict=True) for size in (front, total - front))

    functions.adjust_padding_by_position3d = padding
