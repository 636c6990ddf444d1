"""Files that steps mix in must not be records of the input: validation and test would reach training copies."""

from collections.abc import Iterator

from pipeline.config.loader import ConfigText
from pipeline.config.schema import JobConfig
from pipeline.errors import Problem
from pipeline.modalities.labels.mask_files import files_of_labels
from pipeline.planning.fingerprint import missing_for
from pipeline.sources import Listing
from pipeline.sources.assets import StoredMaterial
from pipeline.sources.references.file_references import referenced
from transforms.registry import places
from transforms.steps import leaves, read_steps


def leak_problems(config: JobConfig, listing: Listing, text: ConfigText) -> Iterator[Problem]:
    """Every step that names a file of the input as a noise or a reference; an audit that cannot be made.

    Places that are missing are passed over.
    """
    yield from certificate_problems(config, text)
    named = [
        (("fields", name, part, *step.place), step.name, place)
        for name, field in config.fields.items()
        for part in ("prepare", "augment")
        for step in leaves(read_steps(getattr(field, part)).nodes)
        for place in places(step)
    ]
    if not named:
        return
    records = _record_files(config, listing)
    for where, step, place in named:
        shared = records.intersection(_files(place))
        if shared:
            message = f"{step}: {place!r} holds files of the input ({min(shared)}), validation and test among them."
            hint = "Name a place apart from the input, or for pictures write reference: records: same_class or any."
            yield Problem(text.where(where), message, hint)


def _record_files(config: JobConfig, listing: Listing) -> set[str]:
    """Every file that records are read from, those that tables refer to included."""
    root = listing.reader.root
    found = {root.full(file.path) for file in listing.files}
    named = [*(name for name, field in config.fields.items() if field.uri), *files_of_labels(config)]
    columns = [name for name in named if name in listing.schema.names]
    if columns:
        found |= {path for unit in listing.units for *_, path in referenced(listing.reader, unit, columns)}
    return found


def _files(place: str) -> tuple[str, ...]:
    try:
        return StoredMaterial().files(place)
    except (OSError, ValueError):
        return ()


def certificate_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """A certificate that needs packages that are not there."""
    if config.certificate in ("near", "full"):
        missing = sorted({name for field in config.fields.values() for name in missing_for(field.type)})
        if missing:
            message = f"certificate: {config.certificate} needs {', '.join(missing)}: pip install {' '.join(missing)}"
            yield Problem(text.where(("certificate",)), message, "Or write certificate: facts.")
