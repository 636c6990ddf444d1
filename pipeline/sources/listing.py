"""Config -> listing: expand the paths, tell the kind of input, hand over to the source that reads it."""

import posixpath
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.config.schema import JobConfig
from pipeline.config.types import each_of
from pipeline.errors import InputError, Problem, UsageError
from pipeline.records import InputFile
from pipeline.sources.declared_types import declared
from pipeline.sources.folder import EXTENSIONS, ending_of, list_folder
from pipeline.sources.interface import Listing, Reader
from pipeline.sources.links import link_notes, link_problems
from pipeline.sources.parquet.reader import ParquetReader, list_parquet
from pipeline.sources.range_reads import in_order
from pipeline.sources.roots import together
from pipeline.sources.tables.reader import Columns, TableReader, list_tables
from pipeline.storage.folder import Folder, absolute, expand, fixed_part, is_url
from pipeline.storage.local_files import LINK, MISSING, Found
from pipeline.storage.stores.locations import forget

KINDS = {
    ".parquet": "parquet", ".pq": "parquet",
    ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    **{extension: "folder" for known in EXTENSIONS.values() for extension in known},
}  # fmt: skip
_DIGESTING_THREADS = 8
_NAMED = 3
_RELATIVE = "Relative paths start at the current folder."


def mixed(reader: Reader) -> Reader:
    """A reader for shards that take rows of several places of the input in turns."""
    return replace(reader, mixed=True) if isinstance(reader, ParquetReader | TableReader) else reader


def list_input(config: JobConfig, guessed: bool = False) -> Listing:
    """List what `input.path` names. Raises InputError: no such path, no files, unlike files.

    `guessed`: columns of CSV that look like numbers are read as such, to look at them; a run takes them as text.
    """
    forget()
    allowed = each_of(config.input.allow)
    root, everything = _gathered(config.input.path, allowed, config.input.root)
    refuse_saved(config.input.path, everything)
    found, links = [f for f in everything if f.tag != LINK], [f for f in everything if f.tag == LINK]
    listing = _listing(config, root, found, (*fixed_parts(config.input.path), *allowed), guessed)
    return replace(listing, notes=(*link_notes(links), *listing.notes))


def list_file(config: JobConfig, root: Folder, name: str) -> Listing:
    """List one file below the input's root alone: all that is said of it counts from there. Raises InputError."""
    try:
        found = [root.stat(name)]
    except FileNotFoundError as error:
        raise InputError(f"no such file: {root.full(name)}. If the input moved, give --input FOLDER") from error
    return _listing(config, root, found, (root.url, *each_of(config.input.allow)))


def _listing(
    config: JobConfig, root: Folder, found: list[Found], places: tuple[str, ...], guessed: bool = False
) -> Listing:
    kind = config.input.format or kind_of(found, config.input.path)
    if kind == "folder":
        return _folder(config, root, found, places)
    visible = [f for f in found if len(found) == 1 or not any(part.startswith("_") for part in f.path.split("/"))]
    files = [f for f in visible if KINDS.get(_suffix(f)) == kind] or (visible if config.input.format else [])
    if not files:
        raise InputError(f"no {kind} files in {config.input.path!r}")
    _refuse_missing(root, files)
    if problems := tuple(link_problems(root, files, places)):
        raise InputError("links lead out of the input", problems)
    listing = _tabular(config, root, files, kind, guessed)
    listed = {f.path: InputFile(f.path, f.size, f.tag) for f in files}
    units = tuple(replace(u, listed=listed[u.file]) for u in listing.units)
    return _tagged(config, _with_ignored(replace(listing, units=units), found))


def _refuse_missing(root: Folder, files: list[Found]) -> None:
    """How many records a table has that is not there, nobody can tell."""
    missing = [f for f in files if f.tag == MISSING]
    if missing:
        remedy = "Bring the file back, or remove the link."
        found = (Problem(root.full(f.path), "is a link to a file that is not there.", remedy) for f in missing)
        raise InputError(f"{root.full(missing[0].path)} is a link to a file that is not there", tuple(found))


def gather(
    path: str | tuple[str, ...], root: str | None = None, allowed: Sequence[str] = ()
) -> tuple[Folder, list[Found]]:
    """Files of all patterns, sorted, each once, named by `together`. Raises InputError with all missing paths."""
    top, found = _gathered(path, allowed, root)
    return top, [f for f in found if f.tag != LINK]


def _gathered(path: str | tuple[str, ...], allowed: Sequence[str], root: str | None) -> tuple[Folder, list[Found]]:
    """The same with the links that are not followed."""
    patterns = (path,) if isinstance(path, str) else path
    expanded: list[tuple[Folder, list[Found]]] = []
    problems = []
    for pattern in patterns:
        try:
            expanded.append(expand(pattern, allowed))
        except InputError as error:
            problems.append(Problem("input.path", f"{error.message}.", "" if is_url(pattern) else _RELATIVE))
        except UsageError as error:
            problems.append(Problem("input.path", f"{error.message}."))
    if problems:
        raise InputError(problems[0].message.rstrip("."), tuple(problems))
    top, found = together(expanded, root)
    if not found:
        raise InputError(f"no files in {path!r}")
    return top, found


def refuse_saved(path: object, found: Sequence[Found]) -> None:
    """Raise InputError for Arrow files of Hugging Face's `save_to_disk`: the JSON beside them is no data."""
    described = {posixpath.dirname(f.path) for f in found if posixpath.basename(f.path) == "state.json"}
    saved = next((f.path for f in found if _suffix(f) == ".arrow" and posixpath.dirname(f.path) in described), None)
    if saved is not None:
        message = f"{path!r} was written by save_to_disk of Hugging Face datasets, whose Arrow files are not read"
        remedy = "Write Parquet: datasets.load_from_disk(FOLDER).to_parquet(FILE), once for each split."
        raise InputError(message, (Problem(saved, f"{message}.", remedy),))


def fixed_parts(path: str | tuple[str, ...]) -> tuple[str, ...]:
    """Of each pattern the folder above its first wildcard, or the file or folder itself: absolute."""
    patterns = [absolute(pattern) for pattern in ((path,) if isinstance(path, str) else path)]
    return tuple(dict.fromkeys(map(fixed_part, patterns)))


def kind_of(found: list[Found], path: object) -> str:
    """The kind that the file names tell. Raises InputError where they tell none or several kinds of table."""
    kinds = Counter(KINDS[_suffix(f)] for f in found if _suffix(f) in KINDS)
    tables = [k for k in kinds if k != "folder"]
    if len(tables) > 1:
        known = ", ".join(sorted(tables))
        raise InputError(f"{path!r} holds several kinds of tables ({known}): give a glob, or set input.format")
    if tables and kinds["folder"] <= kinds[tables[0]]:
        return tables[0]
    if kinds["folder"]:
        return "folder"
    endings = ", ".join(sorted({_suffix(f) or "no extension" for f in found})[:5])
    raise InputError(f"cannot tell what kind of input {path!r} is ({endings}): set input.format")


def _suffix(file: Found) -> str:
    return ending_of(file.path)


def _tagged(config: JobConfig, listing: Listing) -> Listing:
    """The listing with its files named by their content where that is asked for; units keep the state as found.

    So what is read later is still compared with what was there before the content was digested.
    """
    root = listing.reader.root
    if config.input.fingerprint != "content" or not root.local:
        return listing
    tags = in_order(lambda file: _content(root, file), listing.files, _DIGESTING_THREADS)
    files = tuple(replace(file, tag=tag) for file, tag in zip(listing.files, tags, strict=True))
    return replace(listing, files=files)


def _content(root: Folder, file: InputFile) -> str:
    """The tag by content; of a file that cannot be read, and so fails later on, the one that it has."""
    try:
        return root.content_tag(file.path)
    except OSError:
        return file.tag


def _tabular(config: JobConfig, root: Folder, files: list[Found], kind: str, guessed: bool) -> Listing:
    if kind == "parquet":
        return list_parquet(root, files, declared(config.input.columns), config.input.extent == "union")
    keys = frozenset(config.key_columns()) - set(config.fields)
    types = declared(config.input.columns)
    known = Columns(keys | set(config.fields), types, keys, config.input.label, config.input.delimiter, guessed)
    return list_tables(root, files, "csv" if kind == "csv" else "jsonl", known)


def _with_ignored(listing: Listing, found: list[Found]) -> Listing:
    """The listing with what it does not read, and a word on links among that which might have been data."""
    used = {f.path for f in listing.files}
    left = [f for f in found if f.path not in used]
    notes = tuple(f"{f.path} is a link to nothing; it is left out" for f in left if f.tag == MISSING)
    return replace(listing, ignored=tuple(f.path for f in left), notes=(*listing.notes, *notes[:_NAMED]))


def _folder(config: JobConfig, root: Folder, everything: list[Found], places: tuple[str, ...]) -> Listing:
    if len(config.fields) != 1:
        raise InputError(f"a folder of files has one field, the config names {sorted(config.fields)}")
    ((name, field),) = config.fields.items()
    if name in ("path", "label"):
        raise InputError(f"a folder's field cannot be called {name!r}: that column names the file or its class")
    listing = list_folder(root, [f for f in everything if KINDS.get(_suffix(f)) == "folder"], name, field.type)
    listing = replace(listing, reader=replace(listing.reader, named=places))  # type: ignore[type-var]
    if not listing.files:
        wanted = ", ".join(sorted(EXTENSIONS[field.type]))
        raise InputError(f"no {field.type} files ({wanted}) below {config.input.path!r}")
    return _tagged(config, _with_ignored(listing, everything))
