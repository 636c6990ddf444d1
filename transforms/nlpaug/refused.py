"""Public classes and parameters of nlpaug that a recipe cannot use, and why; the reason follows the name."""

from collections.abc import Mapping

_FUNCTION = "needs a function, which a config cannot hold"
_NO_EFFECT = "has no effect here"
_NOT_READ = "is not read by nlpaug; write coverage instead"

REFUSED = {
    "LambadaAug": "writes new texts for a label, it does not change a text; and it needs simpletransformers",
    "TimeWarpingAug": "is not implemented in nlpaug",
}
_EVERYWHERE = {
    "device": "is always cpu, so that bytes repeat",
    "force_reload": _NO_EFFECT,
    "generate_all_combinations": "gives many texts for one; write copies instead",
    "model": "needs an object, which a config cannot hold; write model_path instead",
    "name": _NO_EFFECT,
    "reverse_tokenizer": _FUNCTION,
    "sampling_rate": "is taken from each sound",
    "silence": _NO_EFFECT,
    "skip_check": _NO_EFFECT,
    "stateless": _NO_EFFECT,
    "tokenizer": _FUNCTION,
    "verbose": _NO_EFFECT,
}
_BY_CLASS = {
    "MaskAug": {"duration": _NOT_READ},
    "PitchAug": {"duration": _NOT_READ},
    "ShiftAug": {"shift_direction": "is not read by nlpaug; write direction instead"},
    "VtlpAug": {"fhi": "is not read by nlpaug"},
}


def refused_parameters(name: str) -> Mapping[str, str]:
    """Give the parameters that a class has and a config cannot use, each with the reason."""
    return {**_EVERYWHERE, **_BY_CLASS.get(name, {})}
