"""A job -> the version of the same output whose rows it may take: made alike, in other files or of other records."""

from collections.abc import Mapping
from typing import Any

from pipeline.config.schema import JobConfig
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import FanbeamError
from pipeline.planning.fingerprint import FORMAT, cpu, frozen_config, libraries
from pipeline.planning.job import Job
from pipeline.storage.folder import is_url
from pipeline.storage.layout import LATEST

MOST_ROWS = 5_000_000
"""Of a version whose rows are taken: each worker keeps 16 bytes a row to find them by."""
_TAKEN = "rows of records that version {} has as well are taken from there, and not rendered again"
_OF_THE_WHOLE = ("output", "split", "certificate", "copies", "keep_original")


def earlier_version(job: Job) -> str:
    """The newest version, if it was made alike but for files and splits; empty if all rows must be rendered.

    They must where labels are bound or records blended, since a row does not say how that came about, and where steps
    look at other records. `taking` looks at each record for itself.
    """
    if job.candidates is not None or any(field.bound() for field in job.config.fields.values()):
        return ""
    try:
        name = job.output.read(LATEST).decode().strip()
        manifest = read_manifest(job.output.folder(name)) if name and name != job.version else None
    except (FanbeamError, OSError, ValueError):
        return ""
    return name if manifest is not None and _serves(manifest, job) else ""


def reuse_notes(earlier: str) -> tuple[str, ...]:
    """What people should know of a version whose rows are taken."""
    return (_TAKEN.format(earlier),) if earlier else ()


def _serves(manifest: Mapping[str, Any], job: Job) -> bool:
    """Whether a version has the rows that the job would make, where a worker finds them at little cost."""
    rows = sum(shard["rows"] for shard in [*manifest["shards"], *manifest["dropped_shards"]])
    local = not is_url(job.output.url)  # each new shard reads most of the files: far away that costs more than it saves
    same = local and rows <= MOST_ROWS and not manifest.get("not_reproducible")
    return same and _stated(manifest) == _made_by(job.config)


def _stated(manifest: Mapping[str, Any]) -> list[Any]:
    return [manifest[name] for name in ("format", "field_order", "libraries", "cpu")] + [_content(manifest["config"])]


def _made_by(config: JobConfig) -> list[Any]:
    return [FORMAT, list(config.fields), libraries(config), cpu(), _content(frozen_config(config))]


def _content(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a config decides the rows of a record whose split and number of copies are known."""
    return {name: part for name, part in config.items() if name not in _OF_THE_WHOLE}
