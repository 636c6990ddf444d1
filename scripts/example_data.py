"""Write the data that configs/ read: photos, texts, sounds, clips and captioned photos, all small, into a folder.

python scripts/example_data.py [DIR]     (default: data)
"""

import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray

from pipeline.codecs import video_library
from pipeline.codecs.video import VideoCodec
from pipeline.demo import photo_crops, photo_table
from transforms.values import AudioValue, VideoValue

RATE = 16_000
SECONDS = 1.0
CLIP_RATE, CLIP_SIZE = 24, (96, 128)
SUBJECTS = {
    "astronaut": "an astronaut in an orange suit",
    "chelsea": "a cat with yellow eyes",
    "coffee": "a cup of coffee on a wooden table",
    "rocket": "a rocket on its launch pad at night",
    "hubble_deep_field": "distant galaxies",
    "immunohistochemistry": "stained tissue under a microscope",
    "china": "a temple in China",
    "flower": "a flower in front of leaves",
}


def write_photos(folder: Path) -> None:
    """photos.parquet: crops of real photos, labeled by photo, grouped by region."""
    pq.write_table(photo_table(photo_crops()), folder / "photos.parquet")


def write_captioned(folder: Path) -> None:
    """captioned.parquet: the same crops with a sentence about each."""
    table = photo_table(photo_crops())
    captions = [f"This part of the picture shows {SUBJECTS[name]}." for name in table.column("photo").to_pylist()]
    pq.write_table(table.append_column("caption", pa.array(captions)), folder / "captioned.parquet")


def write_texts(folder: Path) -> None:
    """texts.jsonl: sentences out of scikit-learn's descriptions of its data sets, labeled by data set."""
    from sklearn import datasets

    names = ("iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud")
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        for name in names:
            words = re.sub(r"\s+", " ", getattr(datasets, f"load_{name}")().DESCR)
            sentences = [s for s in re.split(r"(?<=[.!?]) ", words) if 30 <= len(s) <= 300]
            for number, sentence in enumerate(sentences):
                row = {"id": f"{name}-{number}", "dataset": name, "text": sentence}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_sounds(folder: Path) -> None:
    """sounds/CLASS/*.wav: one second each of four kinds of tones, made here."""
    time = np.arange(round(RATE * SECONDS)) / RATE
    for kind in ("sine", "square", "saw", "chirp"):
        (folder / "sounds" / kind).mkdir(parents=True, exist_ok=True)
        for number in range(12):
            tone = _tone(kind, 220.0 * 2 ** (number / 12), time) * 0.4
            fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
            soundfile.write(folder / "sounds" / kind / f"{number:02d}.wav", tone * fade, RATE, subtype="PCM_16")


def _tone(kind: str, hertz: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    phase = hertz * time * (1.0 + time if kind == "chirp" else 1.0)
    if kind == "square":
        return np.sign(np.sin(2 * np.pi * phase))
    return 2.0 * (phase % 1.0) - 1.0 if kind == "saw" else np.sin(2 * np.pi * phase)


def write_clips(folder: Path) -> None:
    """clips/MOVE/*.mp4: the camera moves over a real photo, to the right, down or closer, with a humming sound."""
    from skimage import data

    photos = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    for move in ("right", "down", "closer"):
        (folder / "clips" / move).mkdir(parents=True, exist_ok=True)
        for number in range(8):
            frames = _camera(photos[number % len(photos)], move, 20 * (number // len(photos)))
            time = np.arange(RATE) / RATE
            hum = 0.2 * np.sin(2 * np.pi * (150 + 30 * number) * time)
            sound = AudioValue(hum[np.newaxis].astype(np.float32), RATE)
            payload = VideoCodec("mp4").encode(VideoValue(frames, Fraction(CLIP_RATE), sound), "")
            (folder / "clips" / move / f"{number:02d}.mp4").write_bytes(payload)


def _camera(photo: NDArray[np.uint8], move: str, start: int) -> NDArray[np.uint8]:
    """One second of frames: a window of the photo that shifts, or becomes smaller."""
    import cv2

    height, width = CLIP_SIZE
    frames = np.empty((CLIP_RATE, height, width, 3), np.uint8)
    for n in range(CLIP_RATE):
        top, left = start + (4 * n if move == "down" else 0), start + (4 * n if move == "right" else 0)
        spare = 2 * n if move == "closer" else 0
        window = photo[top + spare : top + 2 * height - spare, left + spare : left + 2 * width - spare]
        frames[n] = cv2.resize(np.ascontiguousarray(window), (width, height), interpolation=cv2.INTER_AREA)
    return frames


def main(folder: str) -> None:
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    writers = [write_photos, write_captioned, write_texts, write_sounds]
    writers += [write_clips] if video_library.installed() else []
    for write in writers:
        write(place)
    without = "" if video_library.installed() else f"; no clips: {video_library.MISSING}"
    print(f"wrote photos, captioned photos, texts, sounds and clips into {place}{without}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data")
