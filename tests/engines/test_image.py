"""The steps of the Dockerfile run in a chroot, and its entry points start: what can be run of the image without Docker.

Stand-ins: Debian with this machine's Python for python:slim, Beam's boot program as the Go proxy has it, and a script
for Google's launcher, which is nowhere but in Google's own image. Needs root, mmdebstrap, Go, Java 17 and Maven.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_records import ALL, Records

from tests.engines.image_folders import Build, Stage

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

ROOT = Path(__file__).parents[2]
SUITE = "bookworm"
LIBRARIES = (
    "ca-certificates libbz2-1.0 libexpat1 libffi8 liblzma5 libncursesw6 libreadline8 libsqlite3-0 libssl3 libuuid1 "
    "netbase tzdata zlib1g"
)
LAUNCHER = '#!/bin/sh\nexec python "$FLEX_TEMPLATE_PYTHON_PY_FILE" "$@"\n'
GIVEN = {"IMAGE": "reg/fanbeam:1", "EXTRAS": "dataflow,gcs,audio-extras"}  # as on this machine
BUILD_TOOLS = ("gcc", "cc", "make", "git", "go", "curl")


def run(*command: object, timeout: float = 300) -> str:
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=timeout)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fanbeam" / "engines"


def slim() -> Path:
    """python:slim as far as it matters: a small Debian, Python in /usr/local. Made once."""
    whole = cache() / f"image-base-{SUITE}-{'.'.join(map(str, sys.version_info[:3]))}"
    if whole.exists():
        return whole
    whole.parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("mmdebstrap") is None:
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-qq", "-y", "--no-install-recommends", "mmdebstrap")
    part = whole.with_name(f".{whole.name}-{os.getpid()}")
    run("mmdebstrap", "--variant=minbase", f"--include={','.join(LIBRARIES.split())}", SUITE, part)
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    parts = [f"bin/{minor}", f"lib/{minor}", *(p.name for p in Path(sys.base_prefix, "lib").glob("libpython*.so.*"))]
    parts = [p if "/" in p else f"lib/{p}" for p in parts]
    left_out = [f"--exclude={name}" for name in ("site-packages", f"lib/{minor}/test", "__pycache__", "*.a")]
    packed, inside = part / "python.tar", part / "usr" / "local"
    run("tar", "-C", sys.base_prefix, *left_out, "-cf", packed, *parts)
    run("tar", "-C", inside, "-xf", packed)
    packed.unlink()
    (inside / "bin" / "python").symlink_to(minor)
    run("chroot", part, "ldconfig")
    part.rename(whole)
    return whole


def beam(home: Path) -> Path:
    """Beam's image: the boot program."""
    boot = run("bash", "-c", f". {ROOT}/scripts/engines/fetch.sh && beam_boot", timeout=600).strip()
    return program(home / "beam", "opt/apache/beam/boot", Path(boot).read_bytes())


def program(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("image")
    launcher = program(home / "launcher", "opt/google/dataflow/python_template_launcher", LAUNCHER.encode())
    bases = {"python:": slim(), "apache/beam_python": beam(home), "gcr.io/dataflow-templates-base/python": launcher}
    # Of this machine's settings of pip, wheels that lie on its disk apart: the chroot does not see them.
    network = {n: v for n, v in os.environ.items() if n.startswith("PIP_") and n != "PIP_FIND_LINKS"}
    stages = home / "stages"
    stages.mkdir()
    made = Build(ROOT, stages, bases, GIVEN, network).run()
    made.shared = str(tmp_path_factory.getbasetemp())
    yield made
    run("rm", "-rf", "--one-file-system", home)


def test_its_boot_program_starts_workers_that_make_the_same_files(
    image: Stage, records: Records, tmp_path: Path
) -> None:
    boot = tmp_path / "boot.sh"
    boot.write_text(f'#!/bin/sh\nexec {shlex.join(image.command(*image.entrypoint))} "$@"\n')
    boot.chmod(0o755)
    where = ("--environment_type=PROCESS", f"--environment_config={json.dumps({'command': str(boot)})}")
    assert records.made(tmp_path, ALL, "--runner", "flink", "--flink_master=[local]", *where) == records.expected[ALL]


def test_its_launcher_runs_fanbeam(image: Stage) -> None:
    command = image.command(
        "/opt/google/dataflow/python_template_launcher", "--config=file:///tmp/no.yaml", "--copies=2"
    )
    done = subprocess.run(command, text=True, capture_output=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "file:///tmp/no.yaml: the config cannot be read" in done.stderr
    assert image.environment["FANBEAM_IMAGE"] == "reg/fanbeam:1"


def test_it_is_small_and_holds_nothing_that_only_building_needs(image: Stage) -> None:
    found = run(*image.command("sh", "-c", f"command -v {' '.join(BUILD_TOOLS)}; ls -d /source /root/.cache; true"))
    assert found == ""
    size = int(run("du", "-sxm", "--apparent-size", image.root).split()[0])
    assert size < 2500, f"{size} MiB"
