"""Config -> listing: expand the paths, tell the kind of input, hand over to the source that reads it."""

import posixpath
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.config import JobConfig
from pipeline.config_types import each_of
from pipeline.errors import InputError, Problem, UsageError
from pipeline.local_files import LINK, Found
from pipeline.records import InputFile
from pipeline.sources.folder import EXTENSIONS, ending_of, list_folder
from pipeline.sources.interface import Listing
from pipeline.sources.links import link_notes, link_problems
from pipeline.sources.parquet import list_parquet
from pipeline.sources.tables import list_tables
from pipeline.storage import Folder, absolute, expand, fixed_part, is_url

KINDS = {
    ".parquet": "parquet", ".pq": "parquet",
    ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    **{extension: "folder" for known in EXTENSIONS.values() for extension in known},
}  # fmt: skip
_RELATIVE = "Relative paths start at the current folder."


def list_input(config: JobConfig) -> Listing:
    """List what `input.path` names. Raises InputError: no such path, no files, unlike files."""
    allowed = each_of(config.input.allow)
    root, everything = _gathered(config.input.path, allowed)
    found, links = [f for f in everything if f.tag != LINK], [f for f in everything if f.tag == LINK]
    notes, places = link_notes(links), (*fixed_parts(config.input.path), *allowed)
    kind = config.input.format or kind_of(found, config.input.path)
    if kind == "folder":
        return replace(_folder(config, root, found, places), notes=notes)
    visible = [f for f in found if len(found) == 1 or not any(part.startswith("_") for part in f.path.split("/"))]
    files = [f for f in visible if KINDS.get(_suffix(f)) == kind] or (visible if config.input.format else [])
    if not files:
        raise InputError(f"no {kind} files in {config.input.path!r}")
    if problems := tuple(link_problems(root, files, places)):
        raise InputError("links lead out of the input", problems)
    listing = _tabular(config, root, [_tagged(config, root, f) for f in files], kind)
    listed = {f.path: InputFile(f.path, f.size, f.tag) for f in files}
    units = tuple(replace(u, listed=listed[u.file]) for u in listing.units)
    return replace(listing, units=units, ignored=tuple(f.path for f in found if f.path not in listed), notes=notes)


def gather(path: str | tuple[str, ...]) -> tuple[Folder, list[Found]]:
    """Files of all patterns under their common root, sorted, each once. Raises InputError with all missing paths."""
    root, found = _gathered(path, ())
    return root, [f for f in found if f.tag != LINK]


def _gathered(path: str | tuple[str, ...], allowed: Sequence[str]) -> tuple[Folder, list[Found]]:
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
    root = _common_root([folder for folder, _ in expanded])
    found = {f.path: f for folder, files in expanded for f in _from(root, folder, files)}
    if not found:
        raise InputError(f"no files in {path!r}")
    return root, [found[name] for name in sorted(found)]


def _from(root: Folder, folder: Folder, files: list[Found]) -> list[Found]:
    """Files of a folder by their paths below `root`."""
    between = posixpath.relpath(folder.url, root.url)
    return files if between == "." else [replace(f, path=posixpath.join(between, f.path)) for f in files]


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


def _common_root(folders: list[Folder]) -> Folder:
    urls = [folder.url for folder in folders]
    if len(set(urls)) == 1:
        return folders[0]
    if any(is_url(u) for u in urls):
        schemes = {u.split("://")[0] for u in urls}
        if len(schemes) > 1:
            raise InputError(f"the paths of one input must lie in one kind of storage, not {sorted(schemes)}")
        scheme = schemes.pop()
        return Folder(f"{scheme}://{posixpath.commonpath([u.split('://')[1] for u in urls])}")
    return Folder(posixpath.commonpath(urls))


def _tagged(config: JobConfig, root: Folder, file: Found) -> Found:
    if config.input.fingerprint == "content" and root.local:
        return replace(file, tag=root.content_tag(file.path))
    return file


def _tabular(config: JobConfig, root: Folder, files: list[Found], kind: str) -> Listing:
    if kind == "parquet":
        return list_parquet(root, files)
    strings = frozenset((*config.key_columns(), *config.fields))
    return list_tables(root, files, "csv" if kind == "csv" else "jsonl", strings)


def _folder(config: JobConfig, root: Folder, found: list[Found], places: tuple[str, ...]) -> Listing:
    if len(config.fields) != 1:
        raise InputError(f"a folder of files has one field, the config names {sorted(config.fields)}")
    ((name, field),) = config.fields.items()
    if name in ("path", "label"):
        raise InputError(f"a folder's field cannot be called {name!r}: that column names the file or its class")
    listing = list_folder(root, [f for f in found if KINDS.get(_suffix(f)) == "folder"], name, field.type)
    listing = replace(listing, reader=replace(listing.reader, named=places))  # type: ignore[type-var]
    if not listing.files:
        wanted = ", ".join(sorted(EXTENSIONS[field.type]))
        raise InputError(f"no {field.type} files ({wanted}) below {config.input.path!r}")
    if config.input.fingerprint == "content" and root.local:
        files = tuple(replace(f, tag=root.content_tag(f.path)) for f in listing.files)
        listing = replace(listing, files=files)
    used = {f.path for f in listing.files}
    return replace(listing, ignored=tuple(f.path for f in found if f.path not in used))
