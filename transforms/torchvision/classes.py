"""What kind of class each of torchvision.transforms.v2 is, and which a recipe cannot use, with the reason."""

_BLEND = "blends several records; blending comes by steps of its own"
_FLOAT = "gives floating point pixels; outputs are encoded uint8 pictures: convert in the training code"
_GROUP = "is a composition; write the groups one_of, some_of or sometimes instead"
_LABELS = "only prepares labels; after every step boxes are clipped to the picture and lost labels dropped anyway"
_SEVERAL = "gives several pictures for one; use RandomCrop or CenterCrop with several copies"
_TYPE = "changes the type of the picture, not the picture: convert in the training code"

REFUSED = {
    "ClampBoundingBoxes": _LABELS,
    "ClampKeyPoints": _LABELS,
    "Compose": "is a composition; a list of steps is one already",
    "ConvertBoundingBoxFormat": "changes how boxes are written; the field's `boxes: format` says that",
    "ConvertImageDtype": _FLOAT,
    "CutMix": _BLEND,
    "FiveCrop": _SEVERAL,
    "Lambda": "needs a function, which a config cannot hold",
    "LinearTransformation": "needs a matrix with one row per pixel, and gives floating point pixels",
    "MixUp": _BLEND,
    "Normalize": _FLOAT,
    "PILToTensor": _TYPE,
    "RandomApply": _GROUP,
    "RandomChoice": _GROUP,
    "RandomOrder": "is a composition; steps run in the order of the config, which some_of keeps",
    "SanitizeKeyPoints": _LABELS,
    "SetClampingMode": _LABELS,
    "TenCrop": _SEVERAL,
    "ToDtype": _FLOAT,
    "ToImage": _TYPE,
    "ToPILImage": _TYPE,
    "ToPureTensor": _TYPE,
    "ToTensor": _FLOAT,
    "Transform": "is a base class, not a transform",
    "UniformTemporalSubsample": "picks frames of a clip, and works on no picture",
}

REFUSED_PARAMETERS = {
    "RandomErasing": {"inplace": "would write into the source picture; leave it out"},
    "SanitizeBoundingBoxes": {"labels_getter": "is not needed: what a record says of a box goes with the box"},
}
"""By class: parameters that it has and a config cannot use, each with the reason."""

COLOURS = frozenset({
    "ColorJitter", "GaussianNoise", "Grayscale", "JPEG", "RGB", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomChannelPermutation", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomInvert",
    "RandomPhotometricDistort", "RandomPosterize", "RandomSolarize",
})  # fmt: skip
"""Classes that leave everything in its place; alpha stays as it was."""

PLACE_KEEPERS = COLOURS | {"GaussianBlur", "Identity"}
"""Classes through which labels go untouched."""

POLICIES = frozenset({"AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide"})
"""Classes that pick among operations of many kinds. The library moves no labels with them, and no alpha."""

DRAWN_WHILE_APPLIED = POLICIES | {"GaussianNoise"}
"""Classes that do not draw first and apply second."""

NEEDS = {"RandomIoUCrop": frozenset({"boxes"}), "SanitizeBoundingBoxes": frozenset({"boxes"})}
"""Classes that look at bound labels, and at which."""

RESIZING = frozenset({"RandomResize", "RandomResizedCrop", "RandomShortestSize", "Resize", "ScaleJitter"})

INTERLEAVED = RESIZING | {
    "CenterCrop", "Identity", "JPEG", "RandomCrop", "RandomErasing", "RandomHorizontalFlip", "RandomInvert",
    "RandomIoUCrop", "RandomPosterize", "RandomVerticalFlip",
}  # fmt: skip
"""Classes that are faster on pixels as they lie, (height, width, channels), than on a copy by channels; same result."""
