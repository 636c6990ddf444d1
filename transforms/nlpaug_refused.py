"""Public classes and parameters of nlpaug that a recipe cannot use, and why; the reason follows the name."""

_MODEL = "needs a language model, which is not part of a dataset's version"
_AUDIO = "works on audio; use audiomentations"
_SPECTROGRAM = "works on spectrograms, not on text"
_FUNCTION = "needs a function, which a config cannot hold"
_FILE = "reads a file, which is not part of a dataset's version"
_NO_EFFECT = "has no effect here"

REFUSED = {
    "AbstSummAug": _MODEL,
    "BackTranslationAug": _MODEL,
    "ContextualWordEmbsAug": _MODEL,
    "ContextualWordEmbsForSentenceAug": _MODEL,
    "CropAug": _AUDIO,
    "FrequencyMaskingAug": _SPECTROGRAM,
    "InversionAug": _AUDIO,
    "LambadaAug": _MODEL,
    "LoudnessAug": _AUDIO,
    "LoudnessSpecAug": _SPECTROGRAM,
    "MaskAug": _AUDIO,
    "NoiseAug": _AUDIO,
    "NormalizeAug": _AUDIO,
    "PitchAug": _AUDIO,
    "Sequential": "is a composition; a list of steps is one already",
    "ShiftAug": _AUDIO,
    "Sometimes": "is a composition; write the groups sometimes or some_of instead",
    "SpeedAug": _AUDIO,
    "TfIdfAug": "needs a model trained on your texts, which is not part of a dataset's version",
    "TimeMaskingAug": _SPECTROGRAM,
    "TimeWarpingAug": _SPECTROGRAM,
    "VtlpAug": _AUDIO,
    "WordEmbsAug": "needs word vectors, which are not part of a dataset's version",
}
REFUSED_PARAMETERS = {
    "device": _NO_EFFECT,
    "dict_path": _FILE,
    "force_reload": _NO_EFFECT,
    "generate_all_combinations": "gives many texts for one; write copies instead",
    "model_path": _FILE,
    "name": _NO_EFFECT,
    "reverse_tokenizer": _FUNCTION,
    "tokenizer": _FUNCTION,
    "verbose": _NO_EFFECT,
}
