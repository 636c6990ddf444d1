"""Public classes of albumentations that a recipe cannot use, and why; the reason follows the class's name."""

_FLOAT = "gives or takes floating point pixels; outputs are encoded uint8 pictures: normalise in the training code"
_GROUP = "is a composition; write the groups one_of, some_of or sometimes instead"
_BASE = "is a base class, not a transform"
_FUNCTION = "needs a function, which a config cannot hold"

REFUSED = {
    "BaseCompose": _GROUP,
    "BasicTransform": _BASE,
    "Compose": "is a composition; a list of steps is one already",
    "DualTransform": _BASE,
    "FromFloat": _FLOAT,
    "ImageOnlyTransform": _BASE,
    "Lambda": _FUNCTION,
    "Normalize": _FLOAT,
    "OneOf": _GROUP,
    "OneOrOther": _GROUP,
    "RandomOrder": _GROUP,
    "ReplayCompose": _GROUP,
    "SelectiveChannelTransform": _GROUP,
    "Sequential": _GROUP,
    "SomeOf": _GROUP,
    "ToFloat": _FLOAT,
    "ToTensor3D": _FLOAT,
    "ToTensorV2": "gives a tensor, not a picture: turn pictures into tensors in the training code",
    "Transform3D": _BASE,
}

NEEDS = {
    "AtLeastOneBBoxRandomCrop": frozenset({"boxes"}),
    "BBoxSafeRandomCrop": frozenset({"boxes"}),
    "ConstrainedCoarseDropout": frozenset({"masks"}),
    "CropNonEmptyMaskIfExists": frozenset({"masks"}),
    "MaskDropout": frozenset({"masks"}),
    "RandomCropNearBBox": frozenset({"boxes"}),
    "RandomSizedBBoxSafeCrop": frozenset({"boxes"}),
}
"""Classes that look at bound labels, and at which."""

UNCARRIED = frozenset({"Morphological"})
"""Classes that move boxes wrongly as soon as there are two of them: no labels can be bound beside them."""

BENDING = frozenset({
    "ElasticTransform", "GridDistortion", "GridElasticDeform", "OpticalDistortion", "PiecewiseAffine",
    "RandomGridShuffle", "ThinPlateSpline",
})  # fmt: skip
"""Classes that bend or tear straight lines."""
