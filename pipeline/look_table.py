"""A table -> findings: payload columns by what they hold, key columns by `column_roles`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.column_roles import Facts, Roles, roles_of
from pipeline.config import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.findings import FieldFound, Findings
from pipeline.payload_columns import Sampled, find_fields
from pipeline.schema import LINEAGE, SAMPLE_ID
from pipeline.sources import Listing, list_input
from pipeline.records import Unit

_SAMPLED_UNITS = 4
_SAMPLED_ROWS = 500
_MOST_ROWS = 2_000_000
_MOST_KEY_COLUMNS = 60
_KEY_CHARACTERS = 120
_FEW_VALUES = 2000
_NO_COLUMN = "fanbeam init"
_REMEDY = (
    "Payload is a column of bytes, struct<bytes, path>, text, or paths and URLs of files that exist. "
    "Write the config by hand if one of these columns is meant: docs/config.md"
)


def look_at_table(paths: tuple[str, ...], source: str, notes: Sequence[str]) -> Findings:
    """Look at Parquet, CSV or JSON Lines. Raises InputError: unreadable, no rows, no column of payload."""
    listing = list_input(_blank_config(paths))
    rows = sum(unit.rows for unit in listing.units)
    _refuse_unusable(listing, rows, source)
    samples = _samples(listing)
    roles = roles_of([_facts(listing, name) for name in _key_columns(listing, samples)])
    taken = {r.column for r in (roles.label, roles.group, roles.split) if r is not None}
    fields, remarks = find_fields(listing, samples, taken)
    if not fields:
        raise _nothing_usable(listing, source, remarks)
    first, *others = fields
    taken_as_field = {first.column}
    return Findings(
        source=source,
        paths=paths,
        root=listing.reader.root.url,
        kind=listing.kind,
        summary=f"{rows:,} rows in {len(listing.files):,} {listing.kind} file{'' if len(listing.files) == 1 else 's'}",
        fields=(first,),
        other_fields=tuple(others),
        id=_unless(roles.id, taken_as_field),
        label=roles.label,
        group=roles.group,
        split=roles.split,
        other_roles=tuple((role, r) for role, r in roles.others if r.column not in taken_as_field),
        refused=_refused(roles, first, rows),
        notes=(*notes, *remarks, *_file_notes(listing)),
    )
