"""A clip decoded, three albumentations steps on all frames, and encoded: fanbeam beside PyAV and the library by hand.

python -m scripts.benchmarks.video [ROUNDS]      320 x 240, 50 frames with sound; both ways in turn, in one process
"""

import io
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from pipeline.modalities.codecs.video.codec import VideoCodec
from transforms.isolation.philox import generators
from transforms.recipe import build_recipe
from transforms.values import AudioValue, VideoValue

FRAMES, HEIGHT, WIDTH, RATE, SOUND_RATE = 50, 240, 320, 25, 44_100
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("HorizontalFlip", {}),
    ("Rotate", {"limit": 15}),
    ("RandomBrightnessContrast", {}),
)


def made() -> bytes:
    """A window that wanders over a photo, with a tone."""
    import skimage.data

    photo = skimage.data.astronaut()
    frames = np.stack([photo[n : n + HEIGHT, 2 * n : 2 * n + WIDTH] for n in range(FRAMES)])
    tone = 0.3 * np.sin(np.arange(FRAMES * SOUND_RATE // RATE) * 0.05)
    sound = AudioValue(np.stack([tone, tone]).astype(np.float32), SOUND_RATE)
    return VideoCodec("mp4").encode(VideoValue(frames, Fraction(RATE), sound), "")


def ours() -> Callable[[bytes, int], bytes]:
    """The codec and a recipe, as a worker has them."""
    codec = VideoCodec("mp4")
    recipe = build_recipe([{f"albumentations.{name}": {**params, "p": 1}} for name, params in STEPS], "video")

    def render(payload: bytes, number: int) -> bytes:
        decoded = codec.decode(payload)
        value, _ = recipe.apply(decoded.value, number.to_bytes(16, "little"))
        return codec.encode(value, decoded.source_format)

    return render


def by_hand() -> Callable[[bytes, int], bytes]:
    """PyAV and albumentations, with the same settings of both."""
    import albumentations
    import cv2

    cv2.setNumThreads(0)
    steps = [getattr(albumentations, name)(**params, p=1) for name, params in STEPS]

    def render(payload: bytes, number: int) -> bytes:
        frames, chunks = _decoded(payload)
        for step in steps:
            step.set_random_state(*generators(number.to_bytes(16, "little")))
            frames = step(images=frames)["images"]
        return _encoded(frames, chunks)

    return render


def _decoded(payload: bytes) -> tuple[Any, list[Any]]:
    import av

    pictures, chunks = [], []
    with av.open(io.BytesIO(payload), "r") as container:
        container.streams.video[0].codec_context.thread_count = 1
        for packet in container.demux(container.streams.video[0], container.streams.audio[0]):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures.append(frame.to_ndarray(format="rgb24"))
                else:
                    chunks.append(frame)
    return np.stack(pictures), chunks


def _encoded(frames: Any, chunks: list[Any]) -> bytes:
    import av

    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        options = {"crf": "18", "preset": "veryfast", "x264-params": "no-mbtree=1"}
        pictures = container.add_stream("libx264", rate=RATE, options=options)
        pictures.width, pictures.height, pictures.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        pictures.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        sound.bit_rate = 192_000
        for picture in frames:
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(pictures.encode(None))
        for chunk in chunks:
            container.mux(sound.encode(chunk))
        container.mux(sound.encode(None))
    return sink.getvalue()


def main(rounds: int) -> None:
    payload = made()
    ways = {"fanbeam": ours(), "by hand": by_hand()}
    for way in ways.values():
        way(payload, 0)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter(), time.process_time()
            way(payload, number)
            times[name].append((time.perf_counter() - started[0], time.process_time() - started[1]))
    print(f"{FRAMES} frames of {WIDTH} x {HEIGHT} with sound, {rounds} rounds")
    for clock, meaning in enumerate(("wall", "CPU")):
        seconds = {name: [pair[clock] for pair in found] for name, found in times.items()}
        medians = "   ".join(f"{name} {1000 * statistics.median(found):.1f} ms" for name, found in seconds.items())
        ratios = [a / b for a, b in zip(seconds["fanbeam"], seconds["by hand"], strict=True)]
        print(f"{meaning:>5}: {medians}   ratio, median of pairs {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
