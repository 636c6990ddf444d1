"""Parameters of torchvision's classes as a config writes them: names for constants, lists for tuples, ranges.

The library takes most values unchecked and fails, if at all, at the first draw that meets them. What a few trial calls
may miss is checked here.
"""

import inspect
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from transforms.adapter_checks import nearest
from transforms.interface import StepProblem
from transforms.torchvision.classes import POLICIES, REFUSED_PARAMETERS, RESIZING

_PADDING = ("constant", "edge", "reflect", "symmetric")
_GRID = ("nearest", "bilinear")
_RESIZE = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos")
_MORE = float("inf")
_SOME = 1e-6  # anything but nothing
_FLAGS = ("all_ops", "antialias", "clip", "expand", "pad_if_needed")
_ASCENDING = (("min_scale", "max_scale"), ("min_aspect_ratio", "max_aspect_ratio"))
_FILLED = ("Image", "Mask")
_KINDS = {"fill": "number, [r, g, b] or {Image: colour, Mask: class}", "value": "number or [r, g, b]"}
_RANGES: Mapping[tuple[str, str], tuple[float, float]] = {
    ("AugMix", "alpha"): (_SOME, _MORE),
    ("AugMix", "mixture_width"): (1, 100),
    ("AugMix", "severity"): (1, 10),
    ("ElasticTransform", "sigma"): (0, _MORE),
    ("GaussianNoise", "sigma"): (0, _MORE),
    ("RandAugment", "magnitude"): (0, _MORE),
    ("RandAugment", "num_magnitude_bins"): (2, 10_000),
    ("RandomErasing", "ratio"): (_SOME, _MORE),
    ("RandomErasing", "scale"): (0, 1),
    ("RandomErasing", "value"): (0, 255),
    ("RandomIoUCrop", "max_aspect_ratio"): (_SOME, _MORE),
    ("RandomIoUCrop", "max_scale"): (_SOME, 1),
    ("RandomIoUCrop", "min_aspect_ratio"): (_SOME, _MORE),
    ("RandomIoUCrop", "min_scale"): (_SOME, 1),
    ("RandomIoUCrop", "trials"): (1, 100_000),
    ("RandomPhotometricDistort", "brightness"): (0, _MORE),
    ("RandomPhotometricDistort", "contrast"): (0, _MORE),
    ("RandomPhotometricDistort", "hue"): (-0.5, 0.5),
    ("RandomPhotometricDistort", "saturation"): (0, _MORE),
    ("RandomPosterize", "bits"): (0, 8),
    ("RandomResize", "min_size"): (1, _MORE),
    ("RandomResizedCrop", "ratio"): (_SOME, _MORE),
    ("RandomResizedCrop", "scale"): (0, 1),
    ("RandomShortestSize", "max_size"): (1, _MORE),
    ("RandomShortestSize", "min_size"): (1, _MORE),
    ("RandomSolarize", "threshold"): (0, 255),
    ("ScaleJitter", "scale_range"): (_SOME, _MORE),
    ("ScaleJitter", "target_size"): (1, _MORE),
    ("TrivialAugmentWide", "num_magnitude_bins"): (2, 10_000),
}


def signature(cls: Any) -> dict[str, inspect.Parameter]:
    """The parameters that a config may give, the library's own, and `p` (1) for classes that have none."""
    own = dict(inspect.signature(cls).parameters)
    if "p" not in own:
        own["p"] = inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY, default=1.0, annotation=float)
    return own


def shown(name: str, parameter: inspect.Parameter) -> tuple[str, str]:
    """Default and kind of a parameter as a reader would write them."""
    default = getattr(parameter.default, "value", parameter.default)
    listed = list(default) if isinstance(default, tuple) else default
    text = "" if parameter.default is parameter.empty else repr(listed)
    choices = _choices(name, parameter.name)
    if choices or parameter.name in _KINDS:
        return text, " | ".join(choices) or _KINDS[parameter.name]
    if parameter.annotation is parameter.empty:
        return text, ""
    return text, inspect.formatannotation(parameter.annotation).replace("collections.abc.", "").replace("typing.", "")


def arguments(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the library's constructor takes for what a config says."""
    given = dict(params)
    if "policy" in given:
        given["policy"] = import_module("torchvision.transforms.v2").AutoAugmentPolicy(given["policy"])
    if "fill" in given:
        given["fill"] = _fills(given["fill"])
    return given


def value_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Names that are none of the library's, numbers out of range, and draws that would never end."""
    found = []
    for key, value in params.items():
        message, suggestion = _problem(name, key, value)
        found += [StepProblem((key,), f"{key}: {message}", suggestion)] if message else []
    return found or _together(name, params)


def _problem(name: str, key: str, value: Any) -> tuple[str, str]:
    choices = _choices(name, key)
    if choices and value not in choices:
        return f"{value!r} is not one of {', '.join(choices)}", nearest(str(value), choices)
    if key == "fill":
        return _fill_problem(value), ""
    if key in _FLAGS:
        return ("" if isinstance(value, bool) or value is None else f"{value!r} is not true or false"), ""
    bounds = _RANGES.get((name, key))
    return (_range_problem(value, *bounds) if bounds and value is not None else ""), ""


def _range_problem(value: Any, low: float, high: float) -> str:
    if value == "random":
        return "'random' is noise around 0 for floating point pictures; give a number in 0..255 or [r, g, b]"
    parts = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
        return f"{value!r} is no number, nor a list of numbers"
    if all(low <= part <= high for part in parts):
        return ""
    floor = "above 0" if low == _SOME else f"{low:g} or more"
    return f"{value!r} is not {floor}" if high == _MORE else f"{value!r} is not {floor}, and {high:g} at most"


def _together(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    if name == "RandomIoUCrop":
        return _crop_problems(params)
    magnitude, bins = params.get("magnitude", 9), params.get("num_magnitude_bins", 31)
    if name == "RandAugment" and isinstance(magnitude, int) and isinstance(bins, int) and magnitude >= bins:
        message = f"magnitude: {magnitude} is not within 0..{bins - 1}, the number of bins less 1"
        return [StepProblem(("magnitude",), message)]
    reach = params.get("scale_range", (0, 0))
    if name == "ScaleJitter" and isinstance(reach, list | tuple) and list(reach) != sorted(reach):
        return [StepProblem(("scale_range",), f"scale_range: {reach!r} ends before it begins")]
    return []


def _crop_problems(params: Mapping[str, Any]) -> list[StepProblem]:
    """RandomIoUCrop draws until a crop fits or an option of 1 or more comes."""
    defaults = {"min_scale": 0.3, "max_scale": 1.0, "min_aspect_ratio": 0.5, "max_aspect_ratio": 2.0}
    given = {**defaults, **params}
    found = [
        StepProblem((low,), f"{low}: {given[low]!r} is more than {high}: {given[high]!r}")
        for low, high in _ASCENDING
        if (given[low] or 0) > (given[high] or 0)
    ]
    options = params.get("sampler_options")
    if isinstance(options, list | tuple) and not any(isinstance(n, int | float) and n >= 1 for n in options):
        message = "sampler_options: needs a 1 (leave the picture as it is); without, a draw may never end"
        found.append(StepProblem(("sampler_options",), message))
    return found


@cache
def _choices(name: str, key: str) -> tuple[str, ...]:
    if key == "interpolation":
        return _RESIZE if name in RESIZING else _GRID
    if key == "policy" and name in POLICIES:
        return tuple(policy.value for policy in import_module("torchvision.transforms.v2").AutoAugmentPolicy)
    return _PADDING if key == "padding_mode" else ()


def _fill_problem(value: Any) -> str:
    if isinstance(value, Mapping):
        if not value or set(value) - set(_FILLED):
            return f"{value!r} is no mapping of Image and Mask"
        mask = value.get("Mask", 0)
        if isinstance(mask, bool) or not isinstance(mask, int):
            return f"{mask!r} is no class number for masks"
        value = value.get("Image", 0)
    parts = value if isinstance(value, list | tuple) else [0 if value is None else value]
    right = parts and all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= 255 for n in parts)
    return "" if right else f"{value!r} is no number in 0..255, nor a list of them, one per channel"


def _fills(value: Any) -> dict[Any, Any]:
    """Colours for pictures, which reach the library as plain tensors; masks get class 0 unless `Mask` says another."""
    tensor, types = import_module("torch").Tensor, import_module("torchvision.tv_tensors")
    by_kind = value if isinstance(value, Mapping) else {"Image": value}
    return {tensor: by_kind.get("Image", 0), types.Mask: by_kind.get("Mask", 0), "others": 0}


def refused_parameters(name: str) -> Mapping[str, str]:
    """Parameters that the class has and a config cannot use, each with the reason."""
    return REFUSED_PARAMETERS.get(name, {})
