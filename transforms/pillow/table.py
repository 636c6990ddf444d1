"""What of Pillow a recipe may name: each operation with its own parameters, their defaults and what they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from transforms.operation_parameters import REQUIRED, Spec
from transforms.pillow.geometry import GEOMETRY, RESAMPLE, TRANSPOSE


@dataclass(frozen=True, slots=True)
class Operation:
    """A name of a recipe: what it calls, its parameters, and Pillow's own words on it."""

    call: Callable[..., Any]
    parameters: Mapping[str, Spec]
    doc: str

    @property
    def moves(self) -> bool:
        """Whether pixels change their places."""
        return self.call in GEOMETRY.values()


def _colorize(image: Image.Image, black: Any, white: Any, mid: Any = None, **points: int) -> Image.Image:
    """Colour a grey picture: `black` and `white` (and `mid`) say what its darkest and lightest levels become."""
    colours = [(c, c, c) if isinstance(c, int) else c for c in (black, white, mid)]
    return ImageOps.colorize(image.convert("L"), colours[0], colours[1], colours[2], **points)


_BOX = tuple(sorted(RESAMPLE))
_TURNED = ("bicubic", "bilinear", "nearest")
_SIZE = {"size": Spec("size")}
_METHOD = {"method": Spec("choice", "bicubic", choices=_BOX)}
_RESAMPLE = {"resample": Spec("choice", "bicubic", choices=_BOX)}
_CENTERING = {"centering": Spec("pair", (0.5, 0.5), 0.0, 1.0)}
_FACTOR = {"factor": Spec("number", REQUIRED, 0.0, 1000.0)}
_BORDER = {"border": Spec("whole", REQUIRED, 0, 100_000)}
_ODD = {"size": Spec("whole", 3, 1, 99)}
_METHODS = tuple(sorted(TRANSPOSE))

_MOVING: Mapping[str, Mapping[str, Spec]] = {
    "Contain": {**_SIZE, **_METHOD},
    "Cover": {**_SIZE, **_METHOD},
    "Crop": _BORDER,
    "Expand": {**_BORDER, "fill": Spec("colour", 0)},
    "Fit": {**_SIZE, **_METHOD, "bleed": Spec("number", 0.0, 0.0, 0.49), **_CENTERING},
    "Flip": {},
    "Mirror": {},
    "Pad": {**_SIZE, **_METHOD, "color": Spec("colour", 0), **_CENTERING},
    "Resize": {**_SIZE, **_RESAMPLE},
    "Rotate": {
        "angle": Spec("number", REQUIRED, -36_000.0, 36_000.0),
        "resample": Spec("choice", "nearest", choices=_TURNED),
        "expand": Spec("flag", False),
        "fillcolor": Spec("colour", 0),
    },
    "Scale": {"factor": Spec("number", REQUIRED, 1e-4, 1000.0), **_RESAMPLE},
    "Thumbnail": {**_SIZE, **_RESAMPLE},
    "Transpose": {"method": Spec("choice", REQUIRED, choices=_METHODS)},
}
_PIXELS: Mapping[str, tuple[Callable[..., Any], Mapping[str, Spec]]] = {
    "Autocontrast": (
        ImageOps.autocontrast,
        {"cutoff": Spec("number", 0, 0.0, 49.0), "preserve_tone": Spec("flag", False)},
    ),
    "Equalize": (ImageOps.equalize, {}),
    "Grayscale": (ImageOps.grayscale, {}),
    "Invert": (ImageOps.invert, {}),
    "Posterize": (ImageOps.posterize, {"bits": Spec("whole", REQUIRED, 1, 8)}),
    "Solarize": (ImageOps.solarize, {"threshold": Spec("whole", 128, 0, 256)}),
    "Colorize": (
        _colorize,
        {
            "black": Spec("colour"), "white": Spec("colour"), "mid": Spec("colour", None),
            "blackpoint": Spec("whole", 0, 0, 255), "whitepoint": Spec("whole", 255, 0, 255),
            "midpoint": Spec("whole", 127, 0, 255),
        },
    ),
}  # fmt: skip
_ENHANCERS = {
    "Brightness": ImageEnhance.Brightness, "Color": ImageEnhance.Color,
    "Contrast": ImageEnhance.Contrast, "Sharpness": ImageEnhance.Sharpness,
}  # fmt: skip
_FILTERS: Mapping[str, tuple[Any, Mapping[str, Spec]]] = {
    "BoxBlur": (ImageFilter.BoxBlur, {"radius": Spec("number", REQUIRED, 0.0, 1000.0)}),
    "Contour": (ImageFilter.CONTOUR, {}),
    "Detail": (ImageFilter.DETAIL, {}),
    "EdgeEnhance": (ImageFilter.EDGE_ENHANCE, {}),
    "EdgeEnhanceMore": (ImageFilter.EDGE_ENHANCE_MORE, {}),
    "Emboss": (ImageFilter.EMBOSS, {}),
    "FindEdges": (ImageFilter.FIND_EDGES, {}),
    "GaussianBlur": (ImageFilter.GaussianBlur, {"radius": Spec("number", 2, 0.0, 1000.0)}),
    "MaxFilter": (ImageFilter.MaxFilter, _ODD),
    "MedianFilter": (ImageFilter.MedianFilter, _ODD),
    "MinFilter": (ImageFilter.MinFilter, _ODD),
    "ModeFilter": (ImageFilter.ModeFilter, _ODD),
    "Sharpen": (ImageFilter.SHARPEN, {}),
    "Smooth": (ImageFilter.SMOOTH, {}),
    "SmoothMore": (ImageFilter.SMOOTH_MORE, {}),
    "UnsharpMask": (
        ImageFilter.UnsharpMask,
        {
            "radius": Spec("number", 2, 0.0, 1000.0), "percent": Spec("whole", 150, 0, 10_000),
            "threshold": Spec("whole", 3, 0, 255),
        },
    ),
}  # fmt: skip


def _enhancer(cls: Any) -> Callable[..., Image.Image]:
    def call(image: Image.Image, factor: float) -> Image.Image:
        enhanced: Image.Image = cls(image).enhance(factor)
        return enhanced

    return call


def _filter(cls: Any) -> Callable[..., Image.Image]:
    def call(image: Image.Image, **parameters: Any) -> Image.Image:
        return image.filter(cls(**parameters))

    return call


def _first_paragraph(thing: Any) -> str:
    words = (thing.__doc__ or f"Pillow's filter {getattr(thing, '__name__', '')}.").split("\n\n")[0]
    return " ".join(words.split())


OPERATIONS: Mapping[str, Operation] = {
    **{name: Operation(GEOMETRY[name], specs, _first_paragraph(GEOMETRY[name])) for name, specs in _MOVING.items()},
    **{name: Operation(call, specs, _first_paragraph(call)) for name, (call, specs) in _PIXELS.items()},
    **{name: Operation(_enhancer(cls), _FACTOR, _first_paragraph(cls)) for name, cls in _ENHANCERS.items()},
    **{name: Operation(_filter(cls), specs, _first_paragraph(cls)) for name, (cls, specs) in _FILTERS.items()},
}
