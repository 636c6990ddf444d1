"""Workers that come with nothing: what they must install, and which places of a job they cannot reach.

They install fanbeam itself (its source where this is a checkout, else the installed package packed again as a wheel)
and, at the versions of this machine, every library that fanbeam and the job use: other versions make other bytes.
"""

import io
import posixpath
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from hashlib import blake2b, sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.config.schema import JobConfig
from pipeline.errors import Problem
from pipeline.planning.fingerprint import libraries
from pipeline.planning.job import Job
from pipeline.storage.folder import is_url, read_file
from pipeline.storage.local_files import copy_of
from transforms import registry

_IMAGES = ("sdk_container_image", "worker_harness_container_image")
_PACKAGES = ("setup_file", "extra_packages")
_OF_S3 = ("obstore", "botocore")
_STORES = {"gs": ("gcsfs",), "gcs": ("gcsfs",), "s3": _OF_S3, "az": ("obstore",), "abfs": ("obstore",)}
_IN_THE_IMAGE = {"fanbeam", "apache-beam", "pip", "python", "setuptools", "wheel"}
_OF_AN_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ROOT = Path(__file__).resolve().parents[3]


def packages(job: Job, given: Mapping[str, Any]) -> list[str]:
    """Beam options that make workers install fanbeam and its libraries, unless an image or packages are given."""
    if any(given.get(name) for name in _IMAGES):
        return []
    added = []
    if not any(given.get(name) for name in _PACKAGES):
        setup = _ROOT / "setup.py"
        added.append(f"--setup_file={setup}" if setup.exists() else f"--extra_package={_packed()}")
    if not given.get("requirements_file"):
        added.append(f"--requirements_file={_kept('requirements.txt', _pins(job))}")
        if not given.get("requirements_cache"):
            added.append("--requirements_cache=skip")  # workers download; nothing is uploaded from here
    return added


def problems(job: Job, options: Mapping[str, Any]) -> list[Problem]:
    """Places of the job on this machine, and libraries that workers cannot install."""
    found = [
        Problem(where, f"{path} is on this machine, out of the workers' reach.", "Copy it to an object store.")
        for where, path in _places(job.config)
        if not is_url(path) or path.startswith("memory:")
    ]
    if any(options.get(name) for name in _IMAGES):
        return found
    odd = [name for name in _closure(job) if "+" in metadata.version(name)]
    if odd and options.get("requirements_cache") == "skip":
        message = f"{', '.join(f'{n} {metadata.version(n)}' for n in odd)}: no such version can be downloaded."
        found.append(Problem("--sdk_container_image", message, "Give an image that has these versions."))
    return found


def _places(config: JobConfig) -> Iterator[tuple[str, str]]:
    paths = config.input.path
    yield from (("input.path", path) for path in ((paths,) if isinstance(paths, str) else paths))
    for step in config.steps():
        yield from ((f"{step.name}", place) for place in registry.places(step))


def _pins(job: Job) -> bytes:
    return "".join(f"{name}=={metadata.version(name)}\n" for name in _closure(job)).encode()


def _closure(job: Job) -> list[str]:
    """Distributions that fanbeam and the job need, and those that they need, as installed here."""
    schemes = [path.split("://")[0] for _, path in _places(job.config)] + [job.output.url.split("://")[0]]
    waiting = [*_needs("fanbeam"), *libraries(job.config), *(d for s in schemes for d in _STORES.get(s, ()))]
    found: set[str] = set()
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found or name in _IN_THE_IMAGE:
            continue
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += _needs(name)
    return sorted(found)


def _needs(name: str) -> list[str]:
    from packaging.requirements import Requirement

    try:
        stated = [Requirement(text) for text in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        return []
    return [r.name for r in stated if r.marker is None or r.marker.evaluate({"extra": ""})]


def _packed() -> str:
    """The installed package as a wheel again.

    As https://packaging.python.org/specifications/binary-distribution-format says it must be.
    """
    installed = metadata.distribution("fanbeam")
    inside = [f for f in installed.files or () if ".." not in f.parts and f.suffix != ".pyc"]
    contents = {f.as_posix(): read_file(str(f.locate())) for f in inside if f.name not in _OF_AN_INSTALLATION}
    record = next(f.as_posix() for f in inside if f.name == "RECORD")
    contents[record] = "".join([*(_recorded(*item) for item in sorted(contents.items())), f"{record},,\n"]).encode()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in sorted(contents.items(), key=lambda item: (item[0] == record, item[0])):
            wheel.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return _kept(f"fanbeam-{installed.version}-py3-none-any.whl", sink.getvalue())


def _recorded(name: str, data: bytes) -> str:
    digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def _kept(name: str, data: bytes) -> str:
    return copy_of(posixpath.join("packages", blake2b(data, digest_size=8).hexdigest()), name, data)
