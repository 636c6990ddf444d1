"""Want of memory is no verdict on a record, whoever catches it first: libraries call the file damaged, or read less."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.cli.output import meant_for_people
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.memory import want_of_memory
from pipeline.records import Refusal
from pipeline.rendering.guards import guarded

NOISE = np.random.default_rng(3)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as Linux does it")
LIMITED = """
import resource, sys
from pathlib import Path
from pipeline.rendering.guards import guarded
from pipeline.records import Refusal
from pipeline.modalities.codecs.{module}.codec import {codec}

def size():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmSize")).split()[1]) * 1024

def held(found):
    return next(getattr(found.value, name) for name in ("pixels", "frames", "voxels") if hasattr(found.value, name))

data, codec = Path(sys.argv[1]).read_bytes(), {codec}()
wanted = held(codec.decode(data))
for room in [int(n * 2**18) for n in range(0, 160, 6)]:
    resource.setrlimit(resource.RLIMIT_AS, (size() + room, resource.RLIM_INFINITY))
    found = guarded("x", "decode", codec.decode, data)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if isinstance(found, Refusal):
        print(found.reason)
    else:
        print("same" if (held(found) == wanted).all() and held(found).shape == wanted.shape else "OTHER")
        del found
"""


def webp() -> bytes:
    file = io.BytesIO()
    Image.fromarray(NOISE.integers(0, 256, (1200, 1200, 3), np.uint8)).save(file, "WEBP")
    return file.getvalue()


def sixteen_bit(ending: str) -> bytes:
    return bytes(cv2.imencode(ending, NOISE.integers(0, 65_536, (1200, 1200, 3), np.uint16))[1])


def clip() -> bytes:
    from pipeline.modalities.codecs.video.codec import VideoCodec
    from transforms.values import VideoValue

    frames = NOISE.integers(0, 256, (12, 360, 480, 3), np.uint8)
    return bytes(VideoCodec(format="mkv").encode(VideoValue(frames, Fraction(25)), "mkv"))


def stack() -> bytes:
    from pipeline.modalities.codecs.volume.codec import VolumeCodec
    from transforms.values import VolumeValue

    voxels = NOISE.integers(0, 1000, (40, 200, 200, 1)).astype(np.int16)
    return bytes(VolumeCodec(format="tiff").encode(VolumeValue(voxels), "tiff"))


FILES: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "webp": ("image", "ImageCodec", webp),
    "png of 16 bit": ("image", "ImageCodec", lambda: sixteen_bit(".png")),
    "tiff of 16 bit": ("image", "ImageCodec", lambda: sixteen_bit(".tiff")),
    "mkv": ("video", "VideoCodec", clip),
    "volume": ("volume", "VolumeCodec", stack),
}


@ON_LINUX
@pytest.mark.parametrize("name", FILES)
def test_a_good_file_is_decoded_or_the_machine_has_no_memory(tmp_path: Path, name: str) -> None:
    """They used to be corrupt, or, of 16 bit and of clips, to come out as another picture or a shorter clip."""
    module, codec, made = FILES[name]
    file = tmp_path / "file"
    file.write_bytes(made())
    at_once = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_ARENA_MAX": "1"}
    script = LIMITED.format(module=module, codec=codec)
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, env={**os.environ, **at_once}
    )
    assert done.returncode == 0, done.stderr
    assert "out_of_memory" in done.stdout.split()
    assert set(done.stdout.split()) <= {"same", "out_of_memory"}


def raised(cause: BaseException, suppressed: bool = False) -> CodecError:
    try:
        try:
            raise cause
        except type(cause) as error:
            raise CodecError("corrupt", "it cannot be decoded") from (None if suppressed else error)
    except CodecError as error:
        return error


def too_large(shape: tuple[int, ...]) -> MemoryError:
    with pytest.raises(MemoryError) as caught:
        np.empty(shape, np.float64)
    return caught.value


@pytest.mark.parametrize(
    ("error", "wants"),
    [
        (MemoryError(), True),
        (raised(MemoryError()), True),
        (raised(MemoryError(), suppressed=True), False),
        (ValueError("OpenCV(4) error: (-4:Insufficient memory) Failed to allocate 12 bytes"), True),
        (raised(OSError(12, "Cannot allocate memory")), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 12 bytes."), True),
        (ValueError("a malformed header"), False),
        (raised(too_large((2**50, 2**5))), False),  # no machine: the file lies
    ],
)
def test_who_tells_of_memory(error: BaseException, wants: bool) -> None:
    assert want_of_memory(error) is wants


def test_a_step_that_wraps_it() -> None:
    def step() -> Any:
        raise raised(MemoryError())

    found = guarded("image", "augment", step)
    assert isinstance(found, Refusal)
    assert found.reason == "out_of_memory"


def test_the_command_line_tells_of_memory() -> None:
    told = meant_for_people(MemoryError())
    assert "not enough memory" in told.message and "defect" not in told.message
