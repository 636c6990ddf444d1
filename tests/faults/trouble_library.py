"""The library of `fanbeam_trouble`, installed in a folder, and datasets of texts that use it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import workdata


@dataclass(frozen=True)
class Trouble:
    """The installed library, and configs that use it."""

    folder: Path

    @classmethod
    def install(cls, folder: Path) -> "Trouble":
        """As pip would do it."""
        shutil.copy(Path(__file__).with_name("fanbeam_trouble.py"), folder)
        info = folder / "fanbeam_trouble-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fanbeam-trouble\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[fanbeam.transforms]\ntrouble = fanbeam_trouble\n")
        return cls(folder)

    @property
    def path(self) -> str:
        """What PYTHONPATH must hold in another process."""
        return f"{self.folder}:{workdata.ROOT}"

    def set_fault(self, number: int, how: str, whose: str = "any") -> None:
        (self.folder / "count.txt").unlink(missing_ok=True)
        (self.folder / "fault.txt").write_text(f"{number} {how} {whose}")

    def clear_fault(self) -> int:
        """How many operations were counted."""
        (self.folder / "fault.txt").unlink(missing_ok=True)
        count = self.folder / "count.txt"
        return count.stat().st_size if count.exists() else 0

    def config(self, home: Path, rows: list[dict[str, Any]], **changes: Any) -> Path:
        """A config for some rows of texts; `output` is home/out."""
        data = workdata.write_parquet(home / "in.parquet", rows)
        fields = {"text": {"type": "text", "augment": ["trouble.Act"]}}
        tree = workdata.image_config(data, home / "out", fields=fields, record_timeout=2)
        tree["input"]["fingerprint"] = "content"  # the same data in another place is the same input
        tree |= changes
        return workdata.write_config(home / "c.yaml", tree)


def text_rows(count: int, length: int = 600) -> list[dict[str, Any]]:
    """Texts that do not compress well."""
    return [
        {"id": f"t{n:03d}", "label": workdata.LABELS[n % 3], "text": workdata.noise(n, length)} for n in range(count)
    ]


def slow_field(seconds: float, **more: Any) -> dict[str, Any]:
    """A text field whose copies take some seconds each, so that there is time to hurt a run."""
    return {"text": {"type": "text", "augment": [{"trouble.Act": {"value": seconds}}], **more}}
