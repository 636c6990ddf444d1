"""Small files of every format, and a program that decodes thousands of damaged ones: run as `python mutated_files.py`.

Arguments: names of formats, how many files of each, the first seed. Every file must end as a value or as a
`CodecError`; a file that takes ten seconds of a processor ends the program, as does one for which a GiB is not enough.
Standard output says which file is under way, so that the one that ended the program is known; standard error must stay
empty.
"""

import gzip
import io
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import nibabel
import numpy as np
import soundfile
import tifffile
from PIL import Image

from pipeline.modalities.codecs import Codec, CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.text import TextCodec
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec

SECONDS, BYTES = 10, 2**30
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x1000_0000, 0x10_000)

_TURNED = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(4)

Array = np.ndarray[Any, Any]


def _pixels(channels: int = 3) -> Array:
    rows, columns = np.mgrid[0:20, 0:28]
    base = np.stack([rows * 12, columns * 9, (rows + columns) * 5], axis=-1)[..., :channels]
    return np.asarray((base + np.random.default_rng(1).integers(0, 12, base.shape)) % 256, np.uint8)


def _picture(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_pixels()).convert(mode).save(file, kind, **options)
    return file.getvalue()


def _animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(_pixels(), n, axis=1)) for n in range(3)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def _tiff(array: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def _sound(kind: str, subtype: str, rate: int = 8_000) -> bytes:
    file = io.BytesIO()
    wave = 0.4 * np.sin(np.arange(1_200) * 0.2) + np.random.default_rng(2).normal(0, 0.02, 1_200)
    soundfile.write(file, wave, rate, format=kind, subtype=subtype)
    return file.getvalue()


def _clip(kind: str, codec: str, form: str = "yuv420p", sound: str = "") -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 24, form
        heard: Any = container.add_stream(sound, rate=16_000, layout="mono") if sound else None
        for number in range(6):
            picture = np.roll(np.resize(_pixels(), (24, 32, 3)), number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
        if heard is not None:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4_096), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
    return file.getvalue()


def _voxels(dtype: str = "uint16") -> Array:
    return np.random.default_rng(3).integers(0, 900, (4, 9, 8)).astype(dtype)


def _nifti(kind: Any = nibabel.Nifti1Image) -> bytes:
    content: bytes = kind(_voxels("int16").transpose(2, 1, 0), np.eye(4), dtype=np.int16).to_bytes()
    return content


def _numpy(packed: bool) -> bytes:
    file = io.BytesIO()
    if packed:
        np.savez_compressed(file, scan=_voxels())
    else:
        np.save(file, _voxels())
    return file.getvalue()


PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: _picture("JPEG"),
    "jpeg progressive": lambda: _picture("JPEG", progressive=True),
    "jpeg cmyk": lambda: _picture("JPEG", "CMYK"),
    "jpeg exif": lambda: _picture("JPEG", exif=_TURNED),
    "png": lambda: _picture("PNG"),
    "png palette": lambda: _picture("PNG", "P"),
    "png 16 bit": lambda: _sixteen_bit_png(),
    "gif": lambda: _animated("GIF"),
    "bmp": lambda: _picture("BMP"),
    "webp": lambda: _picture("WEBP"),
    "webp lossless": lambda: _picture("WEBP", "RGBA", lossless=True),
    "webp animated": lambda: _animated("WEBP"),
    "tiff": lambda: _picture("TIFF"),
    "tiff lzw": lambda: _picture("TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: _picture("TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": lambda: _picture("TIFF", compression="jpeg"),
    "tiff fax": lambda: _picture("TIFF", "1", compression="group4"),
    "tiff 16 bit": lambda: _tiff(_pixels().astype(np.uint16) * 200, photometric="rgb"),
    "tiff float": lambda: _tiff(_pixels(1)[..., 0].astype(np.float32) / 255),
    "tiff tiles": lambda: _tiff(_pixels(), photometric="rgb", tile=(16, 16)),
    "tiff big": lambda: _tiff(_pixels(), photometric="rgb", bigtiff=True),
}
SOUNDS: dict[str, Callable[[], bytes]] = {
    "wav": lambda: _sound("WAV", "PCM_16"),
    "wav float": lambda: _sound("WAV", "FLOAT"),
    "wav gsm": lambda: _sound("WAV", "GSM610"),
    "wav adpcm": lambda: _sound("WAV", "IMA_ADPCM"),
    "flac": lambda: _sound("FLAC", "PCM_16"),
    "vorbis": lambda: _sound("OGG", "VORBIS"),
    "opus": lambda: _sound("OGG", "OPUS"),
    "mp3": lambda: _sound("MP3", "MPEG_LAYER_III"),
    "ogg chained": lambda: _sound("OGG", "VORBIS") * 2,
}
CLIPS: dict[str, Callable[[], bytes]] = {
    "mp4": lambda: _clip("mp4", "libx264", sound="aac"),
    "mov": lambda: _clip("mov", "mjpeg", "yuvj420p"),
    "mkv": lambda: _clip("matroska", "ffv1", "bgr0"),
    "webm": lambda: _clip("webm", "libvpx-vp9"),
    "avi": lambda: _clip("avi", "mpeg4"),
    "gif clip": lambda: _animated("GIF"),
}
VOLUMES: dict[str, Callable[[], bytes]] = {
    "volume tiff": lambda: _tiff(_voxels(), photometric="minisblack"),
    "volume png": lambda: _sixteen_bit_png(),
    "volume imagej": lambda: _tiff(_voxels(), imagej=True, metadata={"axes": "ZYX"}),
    "volume ome": lambda: _tiff(_voxels(), ome=True, metadata={"axes": "ZYX"}, photometric="minisblack"),
    "volume big tiff": lambda: _tiff(_voxels(), photometric="minisblack", bigtiff=True),
    "volume deflate": lambda: _tiff(_voxels(), photometric="minisblack", compression="zlib", predictor=True),
    "volume lzw": lambda: _animated("TIFF"),
    "npy": lambda: _numpy(False),
    "npz": lambda: _numpy(True),
    "nii": _nifti,
    "nii2": lambda: _nifti(nibabel.Nifti2Image),
    "nii.gz": lambda: gzip.compress(_nifti(), mtime=0),
}
TEXTS: dict[str, Callable[[], bytes]] = {"text": lambda: "Straße, naïve, 東京, नमस्ते, 🎈".encode() * 3}
GROUPS = {"pictures": PICTURES, "sounds": SOUNDS, "clips": CLIPS, "volumes": VOLUMES, "texts": TEXTS}
FORMATS = {
    **{name: (ImageCodec(), make) for name, make in PICTURES.items()},
    **{name: (AudioCodec(), make) for name, make in SOUNDS.items()},
    **{name: (VideoCodec(), make) for name, make in CLIPS.items()},
    **{name: (VolumeCodec(), make) for name, make in VOLUMES.items()},
    **{name: (TextCodec(), make) for name, make in TEXTS.items()},
}


def _sixteen_bit_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(_pixels(1)[..., 0].astype(np.uint16) * 200).save(file, "PNG")
    return file.getvalue()


def mutated(whole: bytes, seed: int) -> bytes:
    """One to four changes: bytes, numbers, stretches cut out, doubled or moved, the end missing; half near the head."""
    rng = np.random.default_rng(seed)
    data = bytearray(whole)
    for _ in range(int(rng.integers(1, 5))):
        reach = min(len(data), 256) if rng.random() < 0.5 else len(data)
        place, size = int(rng.integers(max(reach, 1))), int(rng.integers(1, 24))
        change = int(rng.integers(7))
        if change <= 1:
            data[place : place + 1] = bytes([int(rng.integers(256))])
        elif change == 2:
            number = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
            width = int(rng.choice([2, 4, 8]))
            little = (number % 256**width).to_bytes(width, "little")
            data[place : place + width] = little if rng.random() < 0.5 else little[::-1]
        elif change == 3:
            del data[place : place + size]
        elif change == 4:
            data[place:place] = data[place : place + size]
        elif change == 5:
            other = int(rng.integers(len(data) or 1))
            data[place : place + size] = data[other : other + size]
        elif rng.random() < 0.3:
            del data[place:]
    return bytes(data)


def main(name: str, count: int, first: int) -> None:
    """Decode `count` damaged files of a format."""
    codec: Codec
    codec, make = FORMATS[name]
    whole = make()
    codec.decode(whole)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    ended = {"values": 0, "failures": 0}
    for seed in range(first, first + count):
        data = mutated(whole, seed)
        print(seed, flush=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            codec.decode(data)
            ended["values"] += 1
        except CodecError as error:
            ended["failures"] += 1
            if "/tmp" in str(error) or " at 0x" in str(error):
                raise
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(ended)


if __name__ == "__main__":
    for name in sys.argv[1].split(","):
        print(name)
        main(name, int(sys.argv[2]), int(sys.argv[3]))
