"""video: operations on the time of clips, written here; see `video_table`."""

from transforms.clip_operations import Library

DISTRIBUTIONS = (
    "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "python-stretch",
)  # fmt: skip
PRELOAD = ("transforms.video_table",)

_LIBRARY = Library("video", "transforms.video_table")
names = _LIBRARY.names
modality = _LIBRARY.modality
carries = _LIBRARY.carries
describe = _LIBRARY.describe
problems = _LIBRARY.problems
build = _LIBRARY.build
