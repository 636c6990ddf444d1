"""Config -> config and listing of its input: what a folder of files names by itself, and the files that tables name."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError
from pipeline.modalities.labels.mask_files import files_of_labels
from pipeline.sources import Listing
from pipeline.storage.folder import StoreFailed

_FEW_BYTES = 2**20
_FIRST_ROWS = 64


def open_input(config: JobConfig) -> tuple[JobConfig, Listing]:
    """List the input; a folder of files names its own id and label columns. Raises InputError."""
    from pipeline.sources import list_input
    from pipeline.sources.folder import LABEL, PATH, label_of
    from pipeline.sources.references.listed_files import with_references

    try:
        listing = list_input(config)
    except StoreFailed as error:
        raise InputError(error.message) from error
    if listing.kind == "folder":
        sorted_by_class = any(label_of(listing.reader.root.placed(f.path)) for f in listing.files)
        names = {"id": config.input.id or PATH, "label": config.input.label or (LABEL if sorted_by_class else None)}
        return config.model_copy(update={"input": config.input.model_copy(update=names)}), listing
    named = {
        name: settings
        for name, settings in (*config.fields.items(), *files_of_labels(config).items())
        if settings.uri and name in listing.schema.names
    }
    listing = replace(listing, notes=(*listing.notes, *_file_names(config, listing)))
    return config, with_references(listing, named, config.input.fingerprint == "content")


def _file_names(config: JobConfig, listing: Listing) -> Iterator[str]:
    """Text fields without `uri` whose first values are names of files: the names would be augmented as words."""
    from pipeline.sources.references.file_names import are_file_names
    from pipeline.sources.strings import values_of

    texts = [n for n, field in config.fields.items() if field.type == "text" and not field.uri]
    names = [name for name in texts if name in listing.schema.names]
    unit = next(iter(listing.units), None)
    if not names or unit is None or (not listing.reader.root.local and unit.bytes > _FEW_BYTES):
        return  # a look is not worth megabytes from a store
    with suppress(OSError, pa.ArrowException, InputError):  # told where it is read for good
        for batch in islice(listing.reader.read(unit, names, 0, min(unit.rows, _FIRST_ROWS)), 1):
            values = {name: values_of(batch.column(name)) for name in names}
            for name in (n for n in names if are_file_names([v for v in values[n] if isinstance(v, str) and v])):
                yield f"column {name!r} holds names of files, which would be augmented as words; if so, add uri: true"
