"""Write the data that configs/ read: photos, texts, sounds, clips and volumes, some with labels, all small.

python scripts/example_data.py [DIR]     (default: data)
"""

import io
import json
import re
import sys
from fractions import Fraction
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from pipeline.cli.demo import photo_crops, photo_table
from pipeline.modalities.codecs.video.codec import VideoCodec
from scripts import example_models
from transforms.values import AudioValue, VideoValue

RATE = 16_000
SECONDS = 1.0
COLOURS = {"red": (220, 30, 40), "blue": (30, 60, 220)}
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


def write_labeled(folder: Path) -> None:
    """labeled.parquet: a crop of each photo with two painted discs; their boxes (COCO), colours, centres and a mask."""
    rows = []
    for number, (photo, crop) in enumerate({row["photo"]: row for row in photo_crops()}.items()):
        pixels = np.array(Image.open(io.BytesIO(crop["image"])))
        mask, discs = np.zeros(pixels.shape[:2], np.uint8), []
        for place, (colour, rgb) in enumerate(COLOURS.items(), 1):
            x, y, radius = 24 + 56 * (place - 1) + 3 * number, 30 + 24 * (number % 3), 10 + number
            rows_of, columns_of = np.indices(mask.shape)
            disc = (columns_of - x) ** 2 + (rows_of - y) ** 2 <= radius**2
            pixels[disc], mask[disc] = rgb, place
            discs.append((colour, [x - radius, y - radius, 2 * radius + 1, 2 * radius + 1], [float(x), float(y)]))
        rows.append(
            {
                "id": f"{photo}-discs", "photo": photo, "image": _png(pixels), "mask": _png(mask),
                "boxes": [box for _, box, _ in discs], "colours": [colour for colour, _, _ in discs],
                "centres": [centre for _, _, centre in discs],
            }
        )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "labeled.parquet")


def _png(pixels: NDArray[np.uint8]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def sentences() -> list[dict[str, Any]]:
    """Sentences out of scikit-learn's descriptions of its data sets: `id`, `dataset`, `text`."""
    from sklearn import datasets

    rows = []
    for name in ("iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud"):
        words = re.sub(r"\s+", " ", getattr(datasets, f"load_{name}")().DESCR)
        found = [s for s in re.split(r"(?<=[.!?]) ", words) if 30 <= len(s) <= 300]
        rows += [{"id": f"{name}-{number}", "dataset": name, "text": s} for number, s in enumerate(found)]
    return rows


def write_texts(folder: Path) -> None:
    """texts.jsonl: sentences, labeled by data set. paragraphs.jsonl: three of them in a row."""
    rows = sentences()
    _write_lines(folder / "texts.jsonl", rows)
    starts = range(0, len(rows) - 2, 3)
    paragraphs = [{**rows[n], "text": " ".join(row["text"] for row in rows[n : n + 3])} for n in starts]
    _write_lines(folder / "paragraphs.jsonl", paragraphs)


def write_spans(folder: Path) -> None:
    """spans.parquet: sentences with numbers in them, and where these are."""
    rows = []
    for row in sentences():
        spans = [
            {"start": found.start(), "end": found.end(), "label": "number"}
            for found in re.finditer(r"(?<!\S)\d+(?=\s)", row["text"])
        ]
        rows += [{**row, "spans": spans}] if spans else []
    pq.write_table(pa.Table.from_pylist(rows), folder / "spans.parquet")


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_sounds(folder: Path) -> None:
    """sounds/CLASS/*.wav: one second each of four kinds of tones, made here."""
    time = np.arange(round(RATE * SECONDS)) / RATE
    for kind in ("sine", "square", "saw", "chirp"):
        (folder / "sounds" / kind).mkdir(parents=True, exist_ok=True)
        for number in range(12):
            tone = _tone(kind, 220.0 * 2 ** (number / 12), time) * 0.4
            fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
            soundfile.write(folder / "sounds" / kind / f"{number:02d}.wav", tone * fade, RATE, subtype="PCM_16")


def write_volumes(folder: Path) -> None:
    """volumes/CLASS/*.tif: stacks of 24 slices of 16 bit, one solid each, with noise, made here."""
    import tifffile

    z, y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in (24, 48, 48)), indexing="ij")
    solids = {
        "ball": x**2 + y**2 + z**2 < 0.4,
        "cone": np.hypot(x, y) < 0.4 * (1 - z),
        "cube": np.maximum(np.maximum(abs(x), abs(y)), abs(z)) < 0.55,
        "ring": (np.hypot(x, y) - 0.6) ** 2 + z**2 < 0.05,
    }
    rng = np.random.default_rng(5)
    for name, inside in solids.items():
        (folder / "volumes" / name).mkdir(parents=True, exist_ok=True)
        for number in range(8):
            moved = np.roll(inside, rng.integers(-3, 4, 3), axis=(0, 1, 2))
            voxels = (400 + 1500 * moved + rng.normal(0, 120, moved.shape)).clip(0, 4095).astype(np.uint16)
            path = folder / "volumes" / name / f"{number:02d}.tif"
            tifffile.imwrite(path, voxels, photometric="minisblack", metadata=None, software=False)


def write_events(folder: Path) -> None:
    """events.parquet: three seconds each with two tones in them, and when these sound."""
    rows = []
    for number in range(8):
        samples = np.random.default_rng(number).normal(0, 0.003, 3 * RATE)
        events = []
        for kind, start in (("sine", 0.4 + 0.05 * number), ("chirp", 1.8)):
            time = np.arange(round(0.6 * RATE)) / RATE
            fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
            begin = round(start * RATE)
            samples[begin : begin + len(time)] += _tone(kind, 300.0 + 40 * number, time) * 0.4 * fade
            events.append({"start": start, "end": start + 0.6, "label": kind})
        sink = io.BytesIO()
        soundfile.write(sink, samples, RATE, format="FLAC")
        rows.append({"id": f"events-{number}", "audio": sink.getvalue(), "events": events})
    pq.write_table(pa.Table.from_pylist(rows), folder / "events.parquet")


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


def write_noises(folder: Path) -> None:
    """noises/*.wav: five seconds of hum, wind and clicks. rooms/*.wav: echoes of rooms of three sizes."""
    time = np.arange(5 * RATE) / RATE
    rng = np.random.default_rng(3)
    wind = np.convolve(rng.normal(0, 1, len(time)), np.ones(40) / 40, "same") * (1 + np.sin(2 * np.pi * 0.4 * time))
    hum = np.sin(2 * np.pi * 50 * time) + 0.5 * np.sin(2 * np.pi * 150 * time)
    clicks = (rng.random(len(time)) < 0.0005) * rng.normal(0, 1, len(time))
    for name, sound in {"hum": hum, "wind": wind, "clicks": clicks}.items():
        _write_sound(folder / "noises" / f"{name}.wav", 0.5 * sound / np.abs(sound).max())
    for name, seconds in {"small": 0.15, "large": 0.5, "hall": 1.2}.items():
        length = np.arange(round(seconds * RATE)) / RATE
        echo = rng.normal(0, 0.3, len(length)) * np.exp(-6.9 * length / seconds)  # 60 dB down at the end
        _write_sound(folder / "rooms" / f"{name}.wav", np.concatenate([[1.0], echo]) / 2)


def _write_sound(path: Path, samples: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="PCM_16")


def write_language(folder: Path) -> None:
    """models/: see `example_models.write_models`."""
    example_models.write_models(folder, [row["text"] for row in sentences()])


WRITERS = (
    write_photos,
    write_captioned,
    write_labeled,
    write_texts,
    write_spans,
    write_sounds,
    write_events,
    write_noises,
    write_language,
)
OPTIONAL = {"av": write_clips, "tifffile": write_volumes}
"""What needs a package of an extra."""


def main(folder: str) -> None:
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for write in WRITERS:
        write(place)
    print(f"wrote photos, texts, sounds, noises and models into {place}")
    for package, write in OPTIONAL.items():
        if util.find_spec(package) is None:
            print(f"{write.__name__.removeprefix('write_')} need {package}: pip install 'fanbeam[all]'")
        else:
            write(place)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data")
