"""audiomentations: every class but those that need a function.

https://iver56.github.io/audiomentations/ lists the classes. Mono sound goes in as one dimension, as the library wants
it. Classes for mono only work on each channel alone, with the same draws for all. `Resample` changes the sample rate
with the samples, so the sound keeps its pitch and its duration.
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from importlib import util
from types import ModuleType
from typing import Any, Literal, cast, get_args, get_origin

import numpy as np

from transforms.adapter_checks import concise, construction_problems, nearest, parameter_problems, trial_problems
from transforms.audiomentations import noise_files, seeded_stretch
from transforms.audiomentations.seeded_rooms import SeededRoom
from transforms.interface import Description, MissingLibrary, Parameter, StepProblem, Transform
from transforms.isolation import global_random, library_warnings
from transforms.labels import segments as audio_segments
from transforms.values import AudioValue, Segments, Value, VideoValue

PRELOAD = ("audiomentations", "librosa")
DISTRIBUTIONS = (
    "audiomentations", "librosa", "numba", "numpy", "numpy-minmax", "numpy-rms", "python-stretch", "scipy", "soundfile",
    "soxr",
)  # fmt: skip
_GROUP = "is a composition; write the groups one_of, some_of or sometimes instead"
REFUSED = {
    "Compose": "is a composition; a list of steps is one already",
    "Lambda": "needs a function, which a config cannot hold",
    "OneOf": _GROUP,
    "SomeOf": _GROUP,
}
FILES = {"AddBackgroundNoise": "sounds_path", "AddShortNoises": "sounds_path", "ApplyImpulseResponse": "ir_path"}
"""Classes that mix sounds of the user, and the parameter that says where those are."""
SLOW = frozenset({"AirAbsorption", "Trim"})  # their first call compiles librosa's code: 2 to 20 s
_FUNCTION = "needs a function, which a config cannot hold"
REFUSED_PARAMETERS = {"noise_transform": _FUNCTION, "part_transform": _FUNCTION}
_MODULES = {
    "Limiter": "numpy_audio_limiter",
    "LoudnessNormalization": "loudness",
    "Mp3Compression": "fast_mp3_augment",
    "RoomSimulator": "pyroomacoustics",
}
_MOVE_SAMPLES = frozenset({"AdjustDuration", "Padding", "RepeatPart", "Reverse", "Shift"})
_STRETCH = frozenset({"RoomSimulator", "TimeStretch", "Trim"})
"""Classes that change a sound's length or timing in other ways."""
_BACKENDS = {"fast-mp3-augment": "fast_mp3_augment", "lameenc": "lameenc", "pydub": "pydub"}


@cache
def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted; those of the extras too, installed or not."""
    public = vars(_library()).items()
    return tuple(sorted(name for name, cls in public if inspect.isclass(cls) and name not in REFUSED))


def modality(name: str) -> str:
    """Give `audio`, for every class."""
    return "audio"


def modalities(name: str) -> frozenset[str]:
    """Give `audio`, and `video` for classes that move nothing in time: they treat the sound track."""
    return frozenset({"audio"} if name in _MOVE_SAMPLES | _STRETCH else {"audio", "video"})


def carries(name: str) -> frozenset[str]:
    """Give `segments`, for every class; the delays of rooms and codecs, some milliseconds, are not followed."""
    return frozenset({"segments"})


def describe(name: str) -> Description:
    """Give parameters and docstring of a class."""
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), _kind(p)) for p in _parameters(name).values()
    )
    cls = _class(name)
    doc = "\n\n".join(filter(None, (inspect.getdoc(cls), inspect.getdoc(cls.__init__))))
    return Description(f"audiomentations.{name}", "audio", parameters, doc)


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, then construct, then call once: the library checks few of its values."""
    missing = _missing_extra(name, params)
    if missing:
        return [StepProblem((), missing)]
    found = parameter_problems(
        f"audiomentations.{name}",
        params,
        _parameters(name),
        lambda valid: _value_problems(name, valid),
        REFUSED_PARAMETERS,
    )
    if found or name in SLOW:
        return found
    return trial_problems(lambda: build(name, {**params, "p": 1.0}), "audio")


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its last draw.

    Raises MissingLibrary for a class whose extra is not installed.
    """
    missing = _missing_extra(name, params)
    if missing:
        raise MissingLibrary(missing)
    files = noise_files.sounds(params.get(FILES[name])) if name in FILES else {}
    given = {**params, FILES[name]: list(files.values())} if files else params
    with library_warnings.collected():
        return _AudioStep(name, _class(name)(**given), {path: file for file, path in files.items()})


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Give the digests of the sounds that the parameters name, and the version of a package that only some classes use.

    Another extra that is installed leaves the version of a dataset alone.
    """
    digests = noise_files.digests([FILES[name]], params) if name in FILES else {}
    return digests | noise_files.package_version(_module(name, params))


def places(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the locations of the sounds that the parameters name."""
    return noise_files.locations(params.get(FILES[name])) if name in FILES else ()


_Guard = Callable[[bytes], AbstractContextManager[object]]


class _AudioStep:
    """One audiomentations instance.

    Seed to randomness: see `global_random`. `RoomSimulator` also draws from pyroomacoustics' own generator, which is
    one for the process: it runs under a lock, after `pyroomacoustics.random.seed(b[0])`.
    """

    __slots__ = ("_bands", "_errors", "_files", "_guard", "_name", "_step")

    def __init__(self, name: str, step: Any, files: Mapping[str, str]) -> None:
        self._name = name
        self._step = step
        self._files = files
        self._errors = noise_files.reading_errors() if files else ()
        self._bands: tuple[Any, ...] = ()
        if name == "SevenBandParametricEQ":  # it draws nothing itself, its seven filters do
            self._bands = (step.low_shelf_filter, *step.peaking_filters, step.high_shelf_filter)
        if name == "AddShortNoises":  # it makes a cache and does not use it
            step._AddShortNoises__load_sound = step._load_sound
        self._guard: _Guard = SeededRoom if name == "RoomSimulator" else _unguarded

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `AudioValue`, or to the sound of a `VideoValue`; a silent film stays as it is.

        Raises ValueError for a sound that the class cannot take.
        """
        if isinstance(value, VideoValue):
            if value.audio is None:
                return value, None
            sound, params = self(value.audio, seed)
            return replace(value, audio=cast(AudioValue, sound)), params
        if not isinstance(value, AudioValue):
            raise TypeError(f"audiomentations.{self._name} works on audio, not on {type(value).__name__}")
        step = self._step
        samples = value.samples
        if samples.shape[1] == 0:
            raise ValueError(f"audiomentations.{self._name} cannot take a sound without samples")
        step.parameters = {"should_apply": None}  # no trace of the call before
        result = self._result(samples, value.sample_rate, seed)
        drawn = dict(step.parameters)
        if not drawn["should_apply"]:
            return value, None
        params = noise_files.with_names(_without_decision(drawn), self._files)
        if self._bands:
            params["bands"] = [_without_decision(band.parameters) for band in self._bands]
        rate = int(drawn.get("target_sample_rate", value.sample_rate))
        changed = np.atleast_2d(np.ascontiguousarray(result, np.float32))
        segments = None if value.segments is None else self._moved(value, value.segments, drawn, changed, rate, seed)
        return AudioValue(changed, rate, segments), params

    def _result(self, samples: np.ndarray[Any, Any], rate: int, seed: bytes) -> Any:
        if samples.shape[0] == 1:
            return self._called(samples[0], rate, seed)
        if self._step.supports_multichannel:
            return self._called(samples, rate, seed)
        return np.stack([self._called(channel, rate, seed) for channel in samples])

    def _called(self, samples: np.ndarray[Any, Any], rate: int, seed: bytes) -> Any:
        try:
            with global_random.seeded(seed), self._guard(seed):
                return self._step(samples, rate)
        except self._errors as error:
            raise ValueError(f"audiomentations.{self._name}: {concise(error)}") from error

    def _moved(
        self,
        value: AudioValue,
        segments: Segments,
        drawn: Mapping[str, Any],
        changed: np.ndarray[Any, Any],
        rate: int,
        seed: bytes,
    ) -> Segments:
        """Where the segments are in the result."""
        seconds = changed.shape[1] / rate
        if self._name in _MOVE_SAMPLES:
            channels, length = value.samples.shape
            result = np.atleast_2d(self._result(audio_segments.ramp(channels, length), value.sample_rate, seed))
            found = audio_segments.by_pieces(segments, audio_segments.pieces_of(result[0], length), value.sample_rate)
            return audio_segments.scaled(found, 1.0, 0.0, seconds)
        if self._name == "TimeStretch":
            return audio_segments.scaled(segments, 1.0 / float(drawn["rate"]), 0.0, seconds)
        if self._name == "Trim":
            import librosa

            _, (start, _) = librosa.effects.trim(np.squeeze(value.samples), top_db=self._step.top_db)
            return audio_segments.scaled(segments, 1.0, -float(start) / rate, seconds)
        return audio_segments.scaled(segments, 1.0, 0.0, seconds)


def _without_decision(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != "should_apply"}


def _unguarded(seed: bytes) -> AbstractContextManager[object]:
    return _NOTHING


_NOTHING = nullcontext()


@cache
def _library() -> ModuleType:
    import audiomentations

    global_random.capture("audiomentations")
    seeded_stretch.capture()
    library_warnings.capture("audiomentations")
    return cast(ModuleType, audiomentations)


def _class(name: str) -> Any:
    return vars(_library())[name]


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(_class(name)).parameters
    return {k: p for k, p in parameters.items() if p.kind is not p.VAR_KEYWORD and k not in REFUSED_PARAMETERS}


def _value_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    known = _parameters(name)
    found = [problem for key, value in params.items() for problem in _type_problems(known[key], value)]
    if name in FILES:
        found += noise_files.problems(FILES[name], params[FILES[name]])
    return found or construction_problems(lambda: build(name, params))


def _type_problems(parameter: inspect.Parameter, value: Any) -> list[StepProblem]:
    """Check what the library does not: choices, and numbers where the default is one."""
    key, default = parameter.name, parameter.default
    choices = get_args(parameter.annotation) if get_origin(parameter.annotation) is Literal else ()
    if choices and value not in choices:
        message = f"{key}: {value!r} is not one of {', '.join(map(str, choices))}"
        return [StepProblem((key,), message, nearest(str(value), choices))]
    if isinstance(default, bool):
        return [] if isinstance(value, bool) else [StepProblem((key,), f"{key}: {value!r} is not true or false")]
    if isinstance(default, int | float) and (isinstance(value, bool) or not isinstance(value, int | float)):
        return [StepProblem((key,), f"{key}: {value!r} is not a number")]
    return []


def _kind(parameter: inspect.Parameter) -> str:
    if parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation).removeprefix("typing.")


def _module(name: str, params: Mapping[str, Any]) -> str:
    """Give the module of the extras that a class uses; empty if none."""
    if name == "Mp3Compression":
        return _BACKENDS.get(str(params.get("backend", "fast-mp3-augment")), "")
    return _MODULES.get(name, "")


def _missing_extra(name: str, params: Mapping[str, Any]) -> str:
    """Say what to install for a class of the extras; empty if nothing is missing."""
    module = _module(name, params)
    if not module or util.find_spec(module) is not None:
        return ""
    return f"audiomentations.{name} needs {module.replace('_', '-')}: pip install 'fanbeam[audio-extras]'"
