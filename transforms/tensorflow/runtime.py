"""TensorFlow as a library of plain functions: on the processor, in one thread, without chatter.

The processes of a run are its parallelism. One thread each also fixes the order in which sums are added up. TensorFlow
must not be forked once it has started, so no adapter that uses it has a `PRELOAD`: each process imports it.

PyTorch's compiler Triton kills the process (segmentation fault: both bring an LLVM of their own) if it is loaded after
TensorFlow, and torchvision loads it. So where it is installed it is loaded first, which takes a fifth of a second.
"""

import os
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.interface import MissingLibrary

INSTALL = "pip install 'fanbeam[keras]'"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before the import: else it tells what it finds on this machine
os.environ["TF_ENABLE_ONEDNN_OPTS"] = (
    "0"  # before the import: oneDNN adds in an order of its own, so bytes depend on it
)


@cache
def tensorflow() -> Any:
    """Give the module `tensorflow`, which has no types, ready for use. Raises MissingLibrary."""
    with suppress(ImportError):
        import_module("triton")
    try:
        module: Any = import_module("tensorflow")
    except ImportError as error:
        raise MissingLibrary(f"tensorflow is not installed: {INSTALL}", name="tensorflow") from error
    with suppress(RuntimeError):  # TensorFlow runs in this process already: workers are processes of their own
        module.config.threading.set_intra_op_parallelism_threads(1)
        module.config.threading.set_inter_op_parallelism_threads(1)
        module.config.set_visible_devices([], "GPU")
    return module


def rounded(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Give numbers as a picture: rounded (half to even) and clipped to 0..255. Raises ValueError if it cannot be."""
    if not image.size or not np.isfinite(image).all():
        raise ValueError("gave pixels that are no numbers" if image.size else "gave no picture")
    whole: NDArray[np.uint8] = np.rint(image, dtype=np.float32).clip(0, 255).astype(np.uint8)
    return whole
