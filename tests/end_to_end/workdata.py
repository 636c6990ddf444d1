"""Made inputs, configs and ways to look at outputs, shared by the end-to-end and the fault tests."""

import csv
import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image

ROOT = Path(__file__).parents[2]
LABELS = ("owl", "tit", "wren")
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "some", "lazy", "dog", "near", "a", "quiet", "river", "bank")
IMAGE_STEPS: list[Any] = [
    "albumentations.HorizontalFlip",
    {"albumentations.Rotate": {"limit": 20}},
    {"one_of": [{"albumentations.GaussNoise": {"p": 1}}, {"albumentations.GaussianBlur": {"p": 1}}]},
]
AUDIO_STEPS: list[Any] = [
    {"audiomentations.AddGaussianNoise": {"p": 1}},
    {"audiomentations.Gain": {"min_gain_db": -9, "max_gain_db": 0, "p": 0.7}},
]
TEXT_STEPS: list[Any] = [
    {"nlpaug.RandomWordAug": {"action": "swap", "aug_p": 0.3}},
    {"nlpaug.KeyboardAug": {"aug_char_p": 0.2}},
]


def picture(number: int, side: int = 64, kind: str = "JPEG") -> bytes:
    """A picture of coloured squares, always the same for the same number."""
    squares = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    pixels = np.kron(squares, np.ones((side // 8, side // 8, 1), np.uint8))
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return sink.getvalue()


def sound(number: int, seconds: float = 0.2, rate: int = 8000) -> bytes:
    """A tone with some noise, as WAV."""
    rng = np.random.default_rng(number)
    time_ = np.arange(int(seconds * rate)) / rate
    samples = 0.4 * np.sin(2 * np.pi * (200 + 20 * number) * time_) + 0.02 * rng.standard_normal(len(time_))
    sink = io.BytesIO()
    soundfile.write(sink, samples.astype(np.float32), rate, format="WAV", subtype="PCM_16")
    return sink.getvalue()


def sentence(number: int) -> str:
    """A dozen words."""
    return " ".join(np.random.default_rng(number).choice(WORDS, 12)) + f" {number}."


def noise(number: int, length: int) -> str:
    """Letters that hardly compress."""
    return "".join(map(chr, np.random.default_rng(number).integers(97, 123, length)))


def image_rows(count: int) -> list[dict[str, Any]]:
    """Keyed, labeled, grouped pictures, and a column that just passes through."""
    return [
        {
            "id": f"r{n:03d}",
            "label": LABELS[n % 3],
            "group": f"g{n // 2}",
            "weight": n / 7,
            "image": picture(n),
        }
        for n in range(count)
    ]


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], per_group: int = 10) -> Path:
    """One Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=per_group)
    return path


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """One CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """One JSON object per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_folder(root: Path, count: int, make: Callable[[int], bytes] = picture, ending: str = ".jpg") -> Path:
    """Files sorted into a folder per class."""
    for number in range(count):
        path = root / LABELS[number % 3] / f"f{number:03d}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make(number))
    return root


def image_config(data: Path | str, output: Path | str, **changes: Any) -> dict[str, Any]:
    """A config for `image_rows`; `changes` replace whole top-level keys."""
    return {
        "seed": 17,
        "input": {"path": str(data), "id": "id", "label": "label"},
        "split": {"validation": 0.15, "test": 0.1},
        "copies": 2,
        "fields": {"image": {"type": "image", "augment": IMAGE_STEPS}},
        "output": {"path": str(output), "shard_size": "32KiB"},
        **changes,
    }


def write_config(path: Path, tree: Mapping[str, Any]) -> Path:
    """JSON is YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree, indent=1), encoding="utf-8")
    return path


def version_folder(output: Path) -> Path:
    """The folder that LATEST names."""
    return output / (output / "LATEST").read_text().strip()


def versions(output: Path) -> list[Path]:
    """Folders of versions, finished or not."""
    return [path for path in output.iterdir() if path.is_dir() and not path.name.startswith("_")]


def contents(folder: Path) -> dict[str, str]:
    """Path -> sha256 of everything below a version folder, hidden files included, run logs left out."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] != "_runs")
    return {p.relative_to(folder).as_posix(): sha256(p.read_bytes()).hexdigest() for p in files}


def leftovers(folder: Path) -> list[str]:
    """Hidden files: what a dead run may have left."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob(".*"))


def manifest_of(output: Path) -> dict[str, Any]:
    """The newest version's manifest."""
    tree: dict[str, Any] = json.loads((version_folder(output) / "manifest.json").read_text())
    return tree


def samples(version: Path, fields: Iterable[str] = ("image",)) -> dict[str, tuple[Any, ...]]:
    """sample_id -> its split, payloads and applied steps: what must not depend on how the input is cut."""
    found: dict[str, tuple[Any, ...]] = {}
    for split in ("train", "validation", "test"):
        for path in sorted((version / split).glob("*.parquet")):
            for row in pq.read_table(path).to_pylist():
                payloads = tuple(_payload(row[name]) for name in fields)
                assert row["sample_id"] not in found
                steps = json.dumps(row["lineage"]["transforms"])
                found[row["sample_id"]] = (split, payloads, steps, row["lineage"]["seed"], row["lineage"]["sha256"])
    return found


def _payload(value: Any) -> Any:
    return value["bytes"] if isinstance(value, dict) else value


def dropped(version: Path, kind: str = "failed") -> list[dict[str, Any]]:
    """Rows of `_failed` or `_rejected`, by source id and copy."""
    rows = [row for p in sorted((version / f"_{kind}").glob("*.parquet")) for row in pq.read_table(p).to_pylist()]
    return sorted(rows, key=lambda r: (str(r["source_id"]), -1 if r["copy"] is None else r["copy"]))


def preload_libraries() -> None:
    """Start the process that workers are forked from with the libraries loaded: many short runs share it."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    libraries = ["albumentations", "nlpaug.augmenter.word", "nlpaug.augmenter.char", "audiomentations"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["pipeline.engines.local.worker", "pipeline.rendering.stages", *libraries]
    )
    forkserver.ensure_running()


def command(*arguments: object) -> list[str]:
    """A command line of fanbeam in a process of its own."""
    return [sys.executable, "-c", "from pipeline.cli.program import console; console()", *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    """The environment of such a process."""
    return {**os.environ, **extra}


def _hear_interrupts() -> None:
    """A shell starts background jobs, and all that they start, deaf to Ctrl-C; nohup, to a terminal that closes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def start(*arguments: object, **extra: str) -> "subprocess.Popen[str]":
    """Start fanbeam in a session of its own, so that it can be killed with all that it started."""
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=environment(**extra), start_new_session=True, preexec_fn=_hear_interrupts,
    )  # fmt: skip


def run(*arguments: object, timeout: float = 120, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run fanbeam to its end in a process of its own."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=ROOT, env=environment(**extra), timeout=timeout
    )


def until(condition: Callable[[], Any], timeout: float = 30.0, every: float = 0.01) -> Any:
    """Poll until a condition holds; its value. Raises TimeoutError."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise TimeoutError(f"{condition} did not come true within {timeout} s")


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it, those that are gone left out."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run (zombies do not)."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found
