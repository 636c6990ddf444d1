"""video: operations on the time of clips, written here; see `table`."""

from transforms.video.operations import Library

DISTRIBUTIONS = (
    "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "python-stretch",
)  # fmt: skip
PRELOAD = ("transforms.video.table",)

_LIBRARY = Library("video", "transforms.video.table")
names = _LIBRARY.names
modality = _LIBRARY.modality
carries = _LIBRARY.carries
describe = _LIBRARY.describe
problems = _LIBRARY.problems
build = _LIBRARY.build
