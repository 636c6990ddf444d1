"""Keras 3 (Apache-2.0): its image augmentation layers, `keras.layers`, on TensorFlow.

https://keras.io/api/layers/preprocessing_layers/ describes them. Names and parameters are Keras' own; every layer also
takes `p` (1), the probability that it is applied at all. Pictures go in as one batch of float32 in 0..255; results are
rounded (half to even) and clipped to uint8. Layers that change colours leave an alpha channel as it is; those that know
only RGB get a grey picture as RGB, and its first channel is the result.
"""

import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module, util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.adapter_checks import concise, construction_problems, nearest, parameter_problems, trial_problems
from transforms.interface import Description, MissingLibrary, Parameter, StepProblem, Transform
from transforms.isolation import global_random
from transforms.isolation.philox import chance
from transforms.keras.labels import MOVING, motions, recorded
from transforms.keras.refused import REFUSED as REFUSED
from transforms.tensorflow.labels import moved
from transforms.tensorflow.runtime import rounded, tensorflow
from transforms.values import LABEL_KINDS, ImageValue, Value

DISTRIBUTIONS = ("keras", "tensorflow-cpu", "tensorflow", "numpy", "opencv-python-headless")
_DRAWS_FROM_GLOBALS = "keras.src.layers.preprocessing.image_preprocessing.aug_mix"
_OTHER_BACKEND = "Keras runs on {} here: set KERAS_BACKEND=tensorflow before Python starts"
_EXPORTED = re.compile(r"preprocessing\.image_preprocessing\.\w+ import \(?\s*(\w+) as")
_MIXED = frozenset({"AugMix", "RandAugment"})
_WARPING = frozenset({"AugMix", "RandomElasticTransform"})
_NEEDS_RGB = _MIXED | {
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomGrayscale",
    "RandomHue",
    "RandomSaturation",
}
_FIXED = {"data_format": "channels_last", "dtype": "float32"}
_VALUE_RANGE = [0, 255]
_LEFT_OUT = {
    "bounding_box_format": "is not needed: labels that the field binds follow by themselves",
    "data_format": "is channels_last here: leave it out",
    "dtype": "is float32 here, and the result uint8: leave it out",
    "name": "names a layer in a model: leave it out",
    "seed": "comes from the run's seed, for each copy anew: leave it out",
    "trainable": "belongs to a model: leave it out",
}
_CHOICES = {"mode": ("horizontal", "vertical", "horizontal_and_vertical")}
_WHOLE = {"height": 1, "width": 1, "bins": 2, "num_ops": 1, "num_chains": 1, "chain_depth": 1}
_P = inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY, default=1.0)

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # before the import: else a file in the home folder decides


@cache
def names() -> tuple[str, ...]:
    """Every layer that a recipe may name, sorted; read off Keras' list of exports, since its import takes seconds."""
    spec = util.find_spec("keras")
    root = Path(spec.origin or "").parent if spec else Path()
    exported = _EXPORTED.findall((root / "layers" / "__init__.py").read_text(encoding="utf-8"))
    return tuple(sorted(set(exported) - set(REFUSED)))


def modality(name: str) -> str:
    """Give `image`, for every layer."""
    return "image"


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right."""
    turns = name == "RandomFlip" and "horizontal" in str(params.get("mode", "horizontal_and_vertical"))
    return (lambda drawn: bool(drawn["flips"])) if turns else None


def carries(name: str) -> frozenset[str]:
    """Give all kinds, but for the two layers that bend pictures or lay them over one another."""
    return frozenset() if name in _WARPING else frozenset(LABEL_KINDS["image"])


def describe(name: str) -> Description:
    """Give parameters and docstring of a layer."""
    parameters = (
        Parameter(p.name, "" if p.default is p.empty else repr(p.default)) for p in _parameters(name).values()
    )
    return Description(f"keras.{name}", "image", tuple(parameters), inspect.getdoc(_class(name)) or "")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, values by the layer itself, then call once on a 64 x 64 picture."""
    try:
        known = _parameters(name)
    except MissingLibrary as error:
        return [StepProblem((), str(error))]

    def values(valid: Mapping[str, Any]) -> list[StepProblem]:
        unusable = [found for key, value in valid.items() if (found := _value_problem(key, value))]
        return unusable or construction_problems(lambda: _construct(name, valid))

    found = parameter_problems(f"keras.{name}", params, known, values, _LEFT_OUT)
    return found or trial_problems(lambda: _on_a_small_picture(build(name, {**params, "p": 1.0})), "image")


def _on_a_small_picture(step: Transform) -> Transform:
    """Every eighth pixel: some layers take seconds for a large picture."""
    return lambda value, seed: step(
        ImageValue(value.pixels[::8, ::8]) if isinstance(value, ImageValue) else value, seed
    )


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generator. Raises MissingLibrary as `_library`."""
    return _KerasStep(name, _construct(name, params), float(params.get("p", 1.0)))


class _KerasStep:
    """One layer. The result is that of the layer with `seed=keras_seed(seed)`, called once on a batch of one picture.

    AugMix also draws from Python's global generator: there `random.seed(library_random.python_seed(seed))` as well.
    """

    __slots__ = ("_errors", "_layer", "_name", "_p")

    def __init__(self, name: str, layer: Any, p: float) -> None:
        raised = ValueError, TypeError, NotImplementedError, ArithmeticError, LookupError, AttributeError
        self._errors = (*raised, tensorflow().errors.OpError)
        self._name, self._layer, self._p = name, layer, p

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue`; raises ValueError for a picture that the layer cannot take."""
        if not isinstance(value, ImageValue):
            raise TypeError(f"keras.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        try:
            with global_random.seeded(seed):
                return self._applied(value, keras_seed(seed))
        except self._errors as error:
            shape = " x ".join(map(str, value.pixels.shape))
            raise ValueError(f"keras.{self._name}, {shape}: {concise(error)}") from error

    def _applied(self, value: ImageValue, number: int) -> tuple[ImageValue, dict[str, Any]]:
        layer, pixels = self._layer, value.pixels
        if hasattr(layer, "generator"):
            layer.generator.state.assign([number, 0])
        images = tensorflow().constant(self._given(pixels)[np.newaxis].astype(np.float32))
        drawn = layer.get_random_transformation(images)
        result = self._taken(rounded(layer.transform_images(images, drawn).numpy()[0]), pixels)
        told = recorded(self._name, layer, drawn)
        if hasattr(layer, "generator"):
            told["seed"] = number
        return moved(value, result, motions(self._name, layer, drawn, pixels.shape[:2])), told

    def _given(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The channels that the layer sees."""
        channels = pixels.shape[2]
        if channels == 1 and self._name in _NEEDS_RGB:
            return np.repeat(pixels, 3, axis=2)
        if channels == 4 and self._name in _MIXED:
            raise ValueError("it moves and colours, so it takes grey or RGB pictures, none with an alpha channel")
        return pixels[:, :, :3] if channels == 4 and self._keeps_alpha() else pixels

    def _taken(self, result: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The result with as many channels as the picture had."""
        channels = pixels.shape[2]
        if channels == 4 and self._keeps_alpha():
            return np.concatenate([result, pixels[:, :, 3:]], axis=2)
        return np.ascontiguousarray(result[:, :, :channels])

    def _keeps_alpha(self) -> bool:
        return self._name not in MOVING | _WARPING


def keras_seed(seed: bytes) -> int:
    """Give the `seed` of a layer: the first 8 of 16 bytes, little-endian, without the last bit (Keras takes 63).

    Keras itself keeps `seed % (2**31 - 2)` of it.
    """
    return int.from_bytes(seed[:8], "little") >> 1


def _library() -> Any:
    """The module `keras`. Raises MissingLibrary where it is set otherwise than this adapter needs it."""
    backend = os.environ.get("KERAS_BACKEND", "")
    if "keras" not in sys.modules and backend != "tensorflow":
        raise MissingLibrary(_OTHER_BACKEND.format(backend), name="keras")
    keras = _imported()
    if keras.config.backend() != "tensorflow":
        raise MissingLibrary(_OTHER_BACKEND.format(keras.config.backend()), name="keras")
    if keras.config.image_data_format() != "channels_last" or keras.config.floatx() != "float32":
        message = "Keras must be set to image_data_format channels_last and floatx float32 (keras.json)"
        raise MissingLibrary(message, name="keras")
    return keras


@cache
def _imported() -> Any:
    tensorflow()
    keras: Any = import_module("keras")
    global_random.capture(_DRAWS_FROM_GLOBALS)
    return keras


def _class(name: str) -> Any:
    return getattr(_library().layers, name)


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(_class(name)).parameters
    own = {key: p for key, p in signature.items() if p.kind != p.VAR_KEYWORD and key not in _LEFT_OUT}
    return {**own, "p": _P}


def _construct(name: str, params: Mapping[str, Any]) -> Any:
    cls = _class(name)
    seed = {"seed": 0} if "seed" in inspect.signature(cls).parameters else {}  # else it draws one from the globals
    try:
        return cls(**{key: value for key, value in params.items() if key != "p"}, **seed, **_FIXED)
    except NotImplementedError as error:  # Keras' word for a name of a mode that it does not know
        raise ValueError(str(error)) from error


def _value_problem(key: str, value: Any) -> StepProblem | None:
    """What layers take without a word, and then do nothing or something else."""
    if key == "value_range" and list(value if isinstance(value, list | tuple) else ()) != _VALUE_RANGE:
        return StepProblem((key,), f"value_range: {value!r} is not [0, 255], which pictures hold", "[0, 255]")
    if key in _CHOICES and value not in _CHOICES[key]:
        close = nearest(str(value), _CHOICES[key])
        return StepProblem((key,), f"{key}: {value!r} is not one of {', '.join(_CHOICES[key])}", close)
    if key in _WHOLE and not (type(value) is int and value >= _WHOLE[key]):
        return StepProblem((key,), f"{key}: {value!r} is not a whole number of at least {_WHOLE[key]}")
    return None
