"""albumentations 2.0.8 (MIT, the final release): every class that turns one picture or volume into another.

In a video field a class treats all frames alike: one draw, noise included, by the library's own target `images`.

https://albumentations.ai/docs/ lists the classes. Steps are called directly, without `Compose`, which costs 500 us to
build and draws nothing that a single step would not.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from transforms.adapter_checks import concise, construction_problems, parameter_problems, trial_problems
from transforms.albumentations import borders, library
from transforms.albumentations import references as extra
from transforms.albumentations.clips import clip_of, first_picture, treat_frames_as_pictures, with_aspect
from transforms.albumentations.labels import from_library, processors, to_library
from transforms.albumentations.refused import BENDING, NEEDS, UNCARRIED
from transforms.albumentations.refused import REFUSED as REFUSED
from transforms.albumentations.volumes import NOT_DRAWN, VolumeStep
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.isolation import library_warnings
from transforms.isolation.philox import PhiloxPair, chance
from transforms.reference_images import OnTrial
from transforms.values import LABEL_KINDS, ImageValue, Value, VideoValue, VolumeValue

DISTRIBUTIONS = (
    "albumentations",
    "albucore",
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "numpy",
    "scipy",
    "simsimd",
    "stringzilla",
)
PRELOAD = ("transforms.albumentations.preload",)
SLOW = frozenset({"PiecewiseAffine", "RandomFog", "Superpixels"})
_MIRRORS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "D4": lambda drawn: drawn["group_element"] in ("h", "r180"),
    "HorizontalFlip": lambda drawn: True,
    "RandomRotate90": lambda drawn: drawn["factor"] == 2,
    "SquareSymmetry": lambda drawn: drawn["group_element"] in ("h", "r180"),
}
_ADVICE = re.compile(r"specialized version|is an alias|special case of|very slow")


@cache
def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted."""
    public = vars(library.loaded()).items()
    from albumentations.core.transforms_interface import BasicTransform

    return tuple(
        sorted(
            name
            for name, cls in public
            if inspect.isclass(cls) and issubclass(cls, BasicTransform) and name not in REFUSED
        )
    )


def modality(name: str) -> str:
    """Give `volume` for the 3D classes, `image` for all others."""
    return "volume" if library.is_solid(name) else "image"


def modalities(name: str) -> frozenset[str]:
    """Give what a class works on: all but the 3D classes take pictures, clips and, slice by slice, volumes.

    Not slice by slice: classes that look at labels of one picture; on clips only if it is their boxes. Classes that
    look at other pictures or at texts take pictures alone.
    """
    if library.is_solid(name):
        return frozenset({"volume"})
    if extra.wants_more(name):
        return frozenset({"image"})
    clips = {"video"} if needs(name) <= frozenset(LABEL_KINDS["video"]) else set()
    return frozenset({"image", *clips} if name in NEEDS else {"image", "video", "volume"})


def carries(name: str) -> frozenset[str]:
    """Give the labels that stay right: all of them where nothing moves, else those that the class says it takes."""
    cls = library.class_of(name)
    from albumentations import ImageOnlyTransform

    if issubclass(cls, ImageOnlyTransform) or name in extra.STILL:
        return frozenset(LABEL_KINDS["image"])
    if name in extra.SINGLE or name in UNCARRIED:
        return frozenset()
    targets = cls._targets if isinstance(cls._targets, tuple) else (cls._targets,)
    known = {"BBoxes": "boxes", "Keypoints": "keypoints", "Mask": "masks", "Mask3D": "masks"}
    return frozenset(known[target.value] for target in targets if target.value in known)


def bends(name: str) -> bool:
    """Tell of the classes that bend or tear straight lines."""
    return name in BENDING


def needs(name: str) -> frozenset[str]:
    """Give the labels without which the class does nothing."""
    return NEEDS.get(name, frozenset())


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right: flips, and half turns of the square's symmetries."""
    return _MIRRORS.get(name)


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Give the digests of the pictures and fonts that the parameters name."""
    return extra.resources(name, params)


def places(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the location of the pictures that a reference names."""
    return extra.places(name, params)


def references(name: str, params: Mapping[str, Any]) -> tuple[str, int] | None:
    """Give scope and number of the other training records that a step looks at."""
    return extra.records(name, params)


def describe(name: str) -> Description:
    """Give parameters and docstring of a class."""
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), library.kind_of(p))
        for p in library.parameters_of(name).values()
    )
    return Description(
        f"albumentations.{name}", modality(name), parameters, inspect.getdoc(library.class_of(name)) or ""
    )


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, values by the library's own schema, then call once on a plain value.

    Classes of `SLOW` are not called. Warnings of the constructor are errors, unless they only recommend another class.
    """
    known = library.parameters_of(name)
    found = parameter_problems(
        f"albumentations.{name}",
        params,
        known,
        lambda valid: (
            extra.problems(name, valid) + construction_problems(lambda: library.construct(name, valid), _ADVICE)
        ),
        extra.hidden(name),
    )
    if found or name in SLOW:
        return found
    trial = modality(name)
    return trial_problems(lambda: OnTrial(build(name, {**params, "p": 1.0})), trial, name in NEEDS)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generators and its last draw."""
    with library_warnings.collected():
        step = library.construct(name, params)
        plain = borders.steady(name, params, step)
    pair = PhiloxPair()
    step.set_random_state(pair.numpy, pair.python)
    volumes = VolumeStep(name, step, pair.seed, library.errors(), plain)
    return volumes if library.is_solid(name) else _ImageStep(name, step, pair.seed, volumes, extra.extras(name, params))


Extras = Callable[[ImageValue, bytes], extra.Extra]


class _ImageStep:
    """One albumentations instance and the pair of generators that it draws from.

    Whether it is applied is decided by `chance(seed) < p`, before anything that costs. If so, the result is that of the
    library called directly, with p=1, after `set_random_state(*transforms.isolation.philox.generators(seed))`.
    """

    __slots__ = ("_errors", "_extras", "_hides", "_keeps_place", "_name", "_p", "_seed", "_step", "_volumes")

    def __init__(
        self, name: str, step: Any, seed: Callable[[bytes], None], volumes: VolumeStep, extras: Extras | None
    ) -> None:
        from albumentations import ImageOnlyTransform, XYMasking

        self._errors = library.errors()
        self._name = name
        self._step = step
        self._extras = extras
        self._keeps_place = isinstance(step, ImageOnlyTransform) or name in extra.STILL
        dropout = type(step).__module__.startswith("albumentations.augmentations.dropout")
        self._hides = dropout or isinstance(step, XYMasking)
        treat_frames_as_pictures(step)
        self._p = float(step.p)
        self._seed = seed
        self._volumes = volumes

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a picture, clip or volume; raises ValueError for one that the class cannot take."""
        if not isinstance(value, ImageValue):
            return self._on_many(value, seed)
        if chance(seed) >= self._p:
            return value, None
        pixels = value.pixels
        labels = {} if self._keeps_place else to_library(value)
        more = self._extras(value, seed) if self._extras else _NO_EXTRA
        if more.arguments is None:
            return value, dict(more.recorded)
        own, once = borders.parted(self._volumes.plain, labels, value)
        result, params = self._applied("image", pixels, value, {**own, **more.arguments}, seed)
        if params is None:
            return value, None
        params |= {**more.recorded, **(extra.summary(self._step.params) if self._extras else {})}
        changed = self._checked(result["image"], pixels)
        if not labels:  # none are bound, or they stay where they are
            return ImageValue(changed, value.boxes, value.keypoints, value.masks), params
        moved = borders.moved(self._volumes.plain, self._step.params, once)
        return from_library({**result, **moved}, changed, value, self._hides), params

    def _on_many(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to all frames of a clip, or to a volume."""
        taken = modalities(self._name)
        if isinstance(value, VideoValue) and "video" in taken:
            return self._on_frames(value, seed)
        if isinstance(value, VolumeValue) and "volume" in taken:
            return self._volumes(value, seed)
        raise TypeError(f"albumentations.{self._name} works on images, not on {type(value).__name__}")

    def _on_frames(self, clip: VideoValue, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """All frames by one draw; boxes of all frames move as those of one picture would."""
        if chance(seed) >= self._p:
            return clip, None
        picture = first_picture(clip)
        labels = {} if self._keeps_place else to_library(picture)
        own, once = borders.parted(self._volumes.plain, labels, picture)
        result, params = self._applied("images", clip.frames, picture, own, seed)
        if params is None:
            return clip, None
        frames = result["images"]
        self._checked(frames[0], picture.pixels)
        moved = borders.moved(self._volumes.plain, self._step.params, once)
        boxes = from_library({**result, **moved}, frames[0], picture).boxes if labels else clip.boxes
        made = clip_of(clip, frames, boxes)
        if not self._keeps_place:
            made = with_aspect(self._volumes.plain or self._step, self._step.params, clip, made)
        return made, params

    def _applied(
        self, target: str, pixels: np.ndarray[Any, Any], value: ImageValue, labels: Mapping[str, Any], seed: bytes
    ) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
        """The library's results, and what it drew; None where it had nothing to do."""
        self._seed(seed)
        step = self._step
        if labels:
            step.set_processors(processors(value))
        try:
            result = step(force_apply=True, **{target: pixels}, **labels)
        except self._errors as error:
            raise ValueError(f"albumentations.{self._name}, {_shape(pixels)}: {concise(error)}") from error
        drawn = step.params
        if not drawn:
            return result, None
        return result, {key: item for key, item in drawn.items() if key not in NOT_DRAWN and item is not None}

    def _checked(self, result: np.ndarray[Any, Any], pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Give the result as (height, width, channels) uint8, or raise ValueError."""
        if result.ndim == 2:
            result = result[:, :, np.newaxis]
        if result.dtype != np.uint8 or result.size == 0:
            raise ValueError(f"albumentations.{self._name} gave {_shape(result)} {result.dtype}, not a uint8 picture")
        if self._keeps_place and result.shape[:2] != pixels.shape[:2]:
            raise ValueError(f"albumentations.{self._name} turned {_shape(pixels)} into {_shape(result)}")
        return result


_NO_EXTRA = extra.Extra({}, {})


def _shape(pixels: np.ndarray[Any, Any]) -> str:
    return " x ".join(map(str, pixels.shape))
