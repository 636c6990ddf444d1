"""vidaug: its operations on clips, by its names, with its parameters and meaning; see `vidaug_table`.

The package itself is not needed, and does not run with today's numpy. All frames of a clip are treated alike; what
moves frames in time takes sound, boxes and segments along.
"""

from transforms.video.operations import Library

DISTRIBUTIONS = (
    "albucore", "albumentations", "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "python-stretch",
)  # fmt: skip
PRELOAD = ("transforms.video.vidaug_table",)
_GROUP = "is a composition; write the groups one_of, some_of or sometimes instead"
REFUSED = {
    "OneOf": _GROUP,
    "Sequential": "is a composition; a list of steps is one already",
    "SomeOf": _GROUP,
    "Sometimes": _GROUP,
}

_LIBRARY = Library("vidaug", "transforms.video.vidaug_table")
names = _LIBRARY.names
modality = _LIBRARY.modality
carries = _LIBRARY.carries
describe = _LIBRARY.describe
problems = _LIBRARY.problems
build = _LIBRARY.build
