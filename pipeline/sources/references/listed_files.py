"""Files that tables name, counted into the snapshot of the input; and what of them cannot be read, before any run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import partial
from hashlib import blake2b

from pipeline.config.schema import AnyField
from pipeline.errors import InputError, Problem
from pipeline.escaping.url_credentials import masked
from pipeline.modalities.labels.mask_files import NamedFiles
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import Listing
from pipeline.sources.references.file_references import References, referenced
from pipeline.storage.local_files import Found
from pipeline.storage.stores.locations import OutsideAllowed

_THREADS = 16
_MOST_NAMED = 3
_MISSING = Found("", 0, "missing")
_OUTSIDE = Found("", 0, "outside")
_LARGE = Found("", 0, "large")
_SAID = {
    "missing": ("are not there, or cannot be read", "Relative paths count from the folder of the table."),
    "outside": (
        "lie outside of the table's own folder or bucket, and are not read",
        "If they are meant, name their place: {place}.uri: {{allow: [PREFIX]}}",
    ),
    "large": ("are larger than max_bytes, and are not read", "Raise fields.{field}.max_bytes."),
}


@dataclass(slots=True)
class _Seen:
    """What became of the references of one column; its field, and its place in the config."""

    field: str
    place: str
    count: int = 0
    unread: Counter[str] = dataclass_field(default_factory=Counter)
    named: dict[str, list[str]] = dataclass_field(default_factory=dict)

    def add(self, written: str, found: Found) -> None:
        self.count += 1
        if found.tag in _SAID:
            self.unread[found.tag] += 1
            names = self.named.setdefault(found.tag, [])
            if len(names) < _MOST_NAMED:
                names.append(masked(written))


def with_references(listing: Listing, fields: Mapping[str, AnyField | NamedFiles], content: bool = False) -> Listing:
    """The listing with the files that `fields` name in the sizes of its units and in the tags of its tables.

    So a picture that changes behind an unchanged table makes another version of the dataset. `content`: local files are
    told by what is in them, not by their time. Raises InputError where none of the files of a column can be read.
    """
    if not fields:
        return listing
    columns = {name: References.of(listing.reader, settings) for name, settings in fields.items()}
    digests = {f.path: blake2b(digest_size=16) for f in listing.files}
    seen = {name: _seen(name, settings) for name, settings in fields.items()}
    units = []
    with ThreadPoolExecutor(_THREADS) as threads:
        for unit in listing.units:
            size = 0
            for (name, written, _), found in _looked_up(listing, unit, partial(_state, columns, content), threads):
                digests[unit.file].update(f"{written}\0{found.size}\0{found.tag}\n".encode("utf-8", "surrogatepass"))
                seen[name].add(written, found)
                size += found.size
            units.append(replace(unit, bytes=unit.bytes + size))
    _refuse_unreadable(seen)
    files = tuple(InputFile(f.path, f.size, f"{f.tag}+files:{digests[f.path].hexdigest()}") for f in listing.files)
    notes = tuple(f"{text} {hint}" for name, one in seen.items() for text, hint in _said(name, one))
    return replace(listing, files=files, units=tuple(units), notes=(*listing.notes, *notes))


def _seen(column: str, settings: AnyField | NamedFiles) -> _Seen:
    if isinstance(settings, NamedFiles):
        return _Seen(settings.field, settings.place)
    return _Seen(column, f"fields.{column}")


def _looked_up(
    listing: Listing, unit: Unit, state: "partial[Found]", threads: ThreadPoolExecutor
) -> Iterator[tuple[tuple[str, str, str], Found]]:
    asked = list(referenced(listing.reader, unit, state.args[0]))
    yield from zip(asked, threads.map(partial(state, unit.file), asked), strict=True)


def _state(columns: Mapping[str, References], content: bool, file: str, reference: tuple[str, str, str]) -> Found:
    """Size and tag of what a reference leads to."""
    name, written, _ = reference
    try:
        found = columns[name].stat(written, file)
        if content and found.size <= columns[name].most:
            found = replace(found, tag=columns[name].content_tag(written, file) or found.tag)
    except OutsideAllowed:
        return _OUTSIDE
    except (OSError, ValueError):
        return _MISSING
    return found if found.size <= columns[name].most else _LARGE


def _refuse_unreadable(seen: Mapping[str, _Seen]) -> None:
    """Raise InputError for columns none of whose files can be read."""
    bad = [(name, one) for name, one in seen.items() if one.count and one.unread.total() == one.count]
    problems = [Problem(one.place, text, hint) for name, one in bad for text, hint in _said(name, one)]
    if problems:
        raise InputError(f"no file of column {bad[0][0]!r} can be read", tuple(problems))


def _said(name: str, seen: _Seen) -> Iterable[tuple[str, str]]:
    """What people should know of a column, and what to do."""
    for reason, (what, hint) in _SAID.items():
        if count := seen.unread[reason]:
            more = ", …" if count > _MOST_NAMED else ""
            names = ", ".join(f"{written[:200]!r}" for written in seen.named[reason])
            yield (
                f"column {name!r}: {count} of {seen.count} files {what}: {names}{more}.",
                hint.format(place=seen.place, field=seen.field),
            )
