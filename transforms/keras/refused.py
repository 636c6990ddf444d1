"""Public layers of Keras that a recipe cannot use, and why; the reason follows the layer's name."""

_BLENDS = "blends records; blending comes by steps of its own"
_FLOAT = "gives floating point values; outputs are encoded uint8 pictures: put it into the model or the training code"
_NO_PICTURE = "is not for pictures: put it into the model or the training code"
_TEXT = "turns text into numbers: put it into the model or the training code"
_SOUND = "turns sound into spectrograms: put it into the model or the training code"
_MODEL = "is a layer of models, active in training only"

REFUSED = {
    "CategoryEncoding": _NO_PICTURE,
    "CutMix": _BLENDS,
    "Discretization": _NO_PICTURE,
    "GaussianNoise": f"{_MODEL}: albumentations.GaussNoise adds noise to pictures",
    "HashedCrossing": _NO_PICTURE,
    "Hashing": _NO_PICTURE,
    "IntegerLookup": _NO_PICTURE,
    "MaxNumBoundingBoxes": "pads lists of boxes, not pictures: do that in the training code",
    "MelSpectrogram": _SOUND,
    "MixUp": _BLENDS,
    "Normalization": _FLOAT,
    "Pipeline": "is a composition; a list of steps is one already",
    "Rescaling": _FLOAT,
    "STFTSpectrogram": _SOUND,
    "StringLookup": _TEXT,
    "TextVectorization": _TEXT,
}
