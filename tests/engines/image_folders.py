"""Builds a Dockerfile without Docker: a stage is a folder, base images are folders, RUN happens in a chroot.

As much of https://docs.docker.com/reference/dockerfile as this project's needs. It must run as root.
"""

import io
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import orjson
from dockerfile_parse import DockerfileParser

# The private view of the file system ends with the process, so nothing stays mounted.
IN_CHROOT = """
for path in /proc /dev /etc/hosts /etc/resolv.conf /etc/ssl/certs $SHARED; do
    mount --rbind "$path" "$0$path" || exit
done
exec chroot "$0" "$@"
"""


def steps(dockerfile: Path) -> list[tuple[str, str]]:
    """Instruction and value, continued lines joined, comments left out."""
    parsed = DockerfileParser(fileobj=io.BytesIO(dockerfile.read_bytes())).structure
    return [(step["instruction"], step["value"]) for step in parsed if step["instruction"] != "COMMENT"]


@dataclass
class Stage:
    """What a stage has come to."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin"})
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    shared: str = ""
    """Folder of this machine that commands see at the same place."""

    def command(self, *words: str) -> list[str]:
        """A command inside, with the image's environment and nothing else."""
        known = [f"{name}={value}" for name, value in {"HOME": "/root", **self.environment}.items()]
        inside = ["env", "-i", "-C", self.workdir, *known, *words]
        if self.shared:
            self.place(self.shared).mkdir(parents=True, exist_ok=True)
        return ["env", f"SHARED={self.shared}", "unshare", "--mount", "sh", "-c", IN_CHROOT, str(self.root), *inside]

    def expanded(self, text: str) -> str:
        return Template(text).safe_substitute({**self.arguments, **self.environment})

    def place(self, path: str) -> Path:
        return self.root / os.path.normpath(os.path.join(self.workdir, path)).lstrip("/")  # noqa: PTH118


@dataclass
class Build:
    """`bases`: beginning of an image's name -> its folder. `given`: build arguments. `network`: what RUN steps need."""

    context: Path
    home: Path
    bases: Mapping[str, Path]
    given: Mapping[str, str]
    network: Mapping[str, str]
    stages: dict[str, Stage] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)

    def run(self) -> Stage:
        """The last stage."""
        for instruction, value in steps(self.context / "Dockerfile"):
            getattr(self, f"do_{instruction.lower()}")(value)
        return self.last

    @property
    def last(self) -> Stage:
        return list(self.stages.values())[-1]

    def do_arg(self, value: str) -> None:
        name, _, default = value.partition("=")
        known = self.last.arguments if self.stages else self.shared
        known[name] = self.given.get(name, self.shared.get(name, default))

    def do_from(self, value: str) -> None:
        image, *rest = Template(value).substitute(self.shared).split()
        name = rest[1] if rest else f"stage-{len(self.stages)}"
        (base,) = (folder for prefix, folder in self.bases.items() if image.startswith(prefix))
        subprocess.run(["cp", "-a", str(base), str(self.home / name)], check=True, timeout=120)
        self.stages[name] = Stage(self.home / name)

    def do_workdir(self, value: str) -> None:
        self.last.workdir = value
        self.last.place(".").mkdir(parents=True, exist_ok=True)

    def do_env(self, value: str) -> None:
        pairs = (word.partition("=") for word in value.split())
        self.last.environment |= {name: self.last.expanded(text) for name, _, text in pairs}

    def do_copy(self, value: str) -> None:
        *sources, target = value.split()
        top = self.context
        if sources[0].startswith("--from="):
            top = self.stages[sources.pop(0).removeprefix("--from=")].root
        for source in sources:
            path = top / source.lstrip("/")
            where = self.last.place(target) / path.name if target.endswith("/") else self.last.place(target)
            where.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, where, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, where)

    def do_run(self, value: str) -> None:
        stage = self.last
        around = [f"{name}={text}" for name, text in {**stage.arguments, **self.network}.items()]
        command = stage.command("env", *around, "sh", "-c", value)
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        assert done.returncode == 0, f"RUN {value}\n{done.stdout[-3000:]}"

    def do_entrypoint(self, value: str) -> None:
        self.last.entrypoint = orjson.loads(value)
