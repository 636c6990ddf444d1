"""One dataset of pictures, texts and sounds, and what a direct run makes of it: what every engine must make."""

from pathlib import Path

import workdata

FIELDS = {
    "image": {"type": "image", "augment": workdata.IMAGE_STEPS},
    "text": {"type": "text", "augment": workdata.TEXT_STEPS},
    "audio": {"type": "audio", "augment": workdata.AUDIO_STEPS},
    "blend": {"type": "image", "augment": ["fanbeam.Mosaic", {"fanbeam.MixUp": {"partners": "other_class"}}]},
}
COLUMNS = {"blend": "image"}
"""Of what is not named as its column: pictures that are blended with others."""


class Records:
    """One dataset of pictures, texts and sounds; for each kind the files that a direct run makes of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        rows = [
            {**row, "text": workdata.sentence(n), "audio": workdata.sound(n)}
            for n, row in enumerate(workdata.image_rows(30))
        ]
        self.data = workdata.write_parquet(home / "in.parquet", rows)
        self.expected = {kinds: self.made(home / "direct" / "-".join(kinds), kinds) for kinds in KINDS}

    def config(self, home: Path, kinds: tuple[str, ...]) -> Path:
        fields = {COLUMNS.get(kind, kind): FIELDS[kind] for kind in kinds}
        return workdata.write_config(home / "c.yaml", workdata.image_config(self.data, home / "out", fields=fields))

    def made(self, home: Path, kinds: tuple[str, ...], *arguments: str) -> dict[str, str]:
        """Run it to its end: path -> digest."""
        done = workdata.run("run", self.config(home, kinds), "--json", *arguments, timeout=300)
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        return workdata.contents(workdata.version_folder(home / "out"))


KINDS: tuple[tuple[str, ...], ...] = (("image",), ("text",), ("audio",), ("blend",), ("image", "text", "audio"))
ALL = KINDS[-1]
