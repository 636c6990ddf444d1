"""What decides the bytes of a dataset -> its version. Names of folders, limits and dates are not part of it."""

import platform
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson

from pipeline.config.copies import Balanced
from pipeline.config.schema import JobConfig
from pipeline.modalities.codecs import DISTRIBUTIONS
from pipeline.modalities.codecs.video import library as video_library
from pipeline.planning.donors.blends import blend_steps
from pipeline.sources import assets
from pipeline.sources.interface import Listing
from transforms.registry import versions

FORMAT = 1
ABSENT = "not installed"
_LIKENESS = {"image": ("faiss-cpu",), "text": ("rapidfuzz", "rensa")}
"""What near duplicates of texts need, and those of everything else."""
_ALWAYS = ("fanbeam", "numpy", "pyarrow")


def fingerprint(config: JobConfig, listing: Listing) -> str:
    """16 hex digits that name the version."""
    return _digest(
        {
            "format": FORMAT,
            "config": frozen_config(config),
            "fields": list(config.fields),
            "files": [[f.path, f.size, f.tag] for f in listing.files],
            "libraries": libraries(config),
            "cpu": cpu(),
        }
    )


def fingerprint_of(manifest: dict[str, Any]) -> str:
    """The version that a manifest's own words make; another one than it names means that somebody edited it."""
    same = {name: manifest[name] for name in ("format", "config", "libraries", "cpu")}
    files = [[f["path"], f["size"], f["tag"]] for f in manifest["input"]["files"]]
    alone = _digest({**same, "fields": manifest["field_order"], "files": files})
    ancestors = manifest.get("split", {}).get("ancestors", [])
    return inherited_version(alone, ancestors) if ancestors else alone


def inherited_version(fingerprint: str, ancestors: Sequence[str]) -> str:
    """The version of an input whose splits go on from those of other versions."""
    return _digest({"fingerprint": fingerprint, "ancestors": list(ancestors)})


def _digest(parts: dict[str, Any]) -> str:
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def frozen_config(config: JobConfig) -> dict[str, Any]:
    """The config without what cannot change bytes: places, limits, and how the input was recognised."""
    unused: dict[str, bool] = {} if blend_steps(config) else {"blends": True}
    return config.model_dump(
        mode="json",
        exclude={"limits": True, "input": {"path", "root", "allow", "fingerprint"}, "output": {"path"}, **unused},
    )


def libraries(config: JobConfig) -> dict[str, str]:
    """Versions of Python and of every distribution that decides bytes."""
    assets.connect()
    found = {"python": platform.python_version()}
    for name in _ALWAYS:
        found[name] = installed(name)
    for field in config.fields.values():
        found.update({name: installed(name) for name in DISTRIBUTIONS[field.type]})
        found.update(video_library.versions() if field.type == "video" else {})
    if isinstance(config.copies, Balanced):
        found["scipy"] = installed("scipy")  # the linear programme
    if config.near_duplicates:
        found["opencv-python-headless"] = installed("opencv-python-headless")
    if any(field.type != "text" for field in config.fields.values()):
        found["pillow"] = installed("pillow")  # draws what leaks
    found.update(versions(config.steps()))
    found.update(likeness_packages(config))
    return dict(sorted(found.items()))


@lru_cache(maxsize=1)
def cpu() -> dict[str, Any]:
    """Machine type, SIMD features that numpy found, and the kernel that its BLAS chose: what one class of CPU is."""
    import numpy as np
    from threadpoolctl import threadpool_info

    shown: Any = np.show_config(mode="dicts")
    simd = shown.get("SIMD Extensions", {})
    features = sorted({*simd.get("baseline", ()), *simd.get("found", ())})
    kernels = sorted(
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".rstrip()
        for library in threadpool_info()
        if library["user_api"] == "blas" and "numpy" in library["filepath"]
    )
    return {"machine": platform.machine(), "simd": features, "blas": kernels}


def likeness_packages(config: JobConfig) -> dict[str, str]:
    """Versions of what finds near duplicates, by distribution, if the certificate is to look for any."""
    if config.certificate == "facts" and not config.near_duplicates:
        return {}
    wanted = {name for field in config.fields.values() for name in _needed_by(field.type)}
    return {name: installed(name) for name in sorted(wanted)}


def missing_for(modality: str) -> list[str]:
    """Distributions that near duplicates of a modality need and that are not installed."""
    return [name for name in _needed_by(modality) if installed(name) == ABSENT]


def _needed_by(modality: str) -> tuple[str, ...]:
    return _LIKENESS.get(modality, _LIKENESS["image"])


def installed(name: str) -> str:
    """Version of a distribution, or ABSENT."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT
