"""A folder of files -> findings: the modality of most files, classes by folder, and what will surprise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from pipeline.errors import InputError, Problem
from pipeline.records import split_of_name
from pipeline.sources.folder import EXTENSIONS, ending_of, label_of, list_folder
from pipeline.sources.inspection.findings import FieldFound, Findings, Modality, Payloads
from pipeline.sources.inspection.label_files import label_files
from pipeline.sources.inspection.payload_samples import DECODED, examine, examine_texts, is_stack, looks_like, spread
from pipeline.sources.listing import KINDS
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

_FEW = 10
_LISTED = 5
_SNIFFED, _HEAD_BYTES = 20_000, 352
_GLOB = frozenset("*?[")
_NOUNS = {"image": "image", "audio": "sound", "text": "text", "video": "clip", "volume": "volume"}
_OPENED = 5
_METADATA = frozenset({"metadata.csv", "metadata.jsonl"})
"""Hugging Face's tables of the files beside them."""


def look_at_folder(path: str, root: Folder, found: Sequence[Found], forced: str = "") -> Findings:
    """Look at a folder of files. `forced` is the kind to write where the file names alone tell another.

    Raises InputError: names that are not UTF-8, only empty files.
    """
    modality = _main_modality(root, found)
    wanted = [f for f in found if _is(f, modality)]
    list_folder(root, wanted, modality, modality)  # raises for names that no dataset can hold
    outside = [f for f in wanted if label_of(f.path) is None]
    inside = [f for f in wanted if label_of(f.path) is not None]
    pattern = _pattern(path, inside) if outside and inside else None
    kept = inside if pattern else wanted
    looked, errors = _examine(root, kept, modality, path)
    classes = Counter(label for f in kept if (label := label_of(f.path)))
    labels = tuple(label_files(root, found, kept, modality))
    notes = (*_class_notes(classes), *_split_notes(kept), *_other_notes(found, wanted))
    return Findings(
        source=path,
        paths=(pattern or path,),
        root=root.url,
        kind="folder",
        forced="folder" if pattern and _has_tables(found) else forced,
        summary=f"{len(kept):,} {_NOUNS[modality]}{'' if len(kept) == 1 else 's'}, {_classes_text(classes)}",
        fields=(FieldFound(modality, modality, payloads=looked, notes=errors, labels=labels),),
        refused=looked.broken + (0.0 if pattern or not inside else len(outside) / len(wanted)),
        notes=(*notes, *_outside_notes(outside, inside, pattern)),
        other_paths=_split_paths(path, kept),
        sorted_by_class=bool(classes),
    )


def _main_modality(root: Folder, found: Sequence[Found]) -> Modality:
    counts: Counter[Modality] = Counter()
    for modality in ("image", "audio", "text", "video", "volume"):
        counts[modality] = sum(_is(f, modality) for f in found)
    shared = [f for f in found if _is(f, "image") and _is(f, "volume")]
    counts["image" if _are_stacks(root, shared) else "volume"] -= len(shared)
    return counts.most_common(1)[0][0]


def _are_stacks(root: Folder, files: Sequence[Found]) -> bool:
    """Whether most of a few TIFF files have several pages: those are volumes, the others pictures."""
    chosen = spread([f for f in files if f.size], _OPENED)
    return bool(chosen) and 2 * sum(is_stack(root.read(f.path)) for f in chosen) > len(chosen)


def _is(file: Found, modality: Modality) -> bool:
    return ending_of(file.path) in EXTENSIONS[modality]


def _has_tables(found: Sequence[Found]) -> bool:
    return any(KINDS.get(ending_of(f.path), "folder") != "folder" for f in found)


def _pattern(path: str, inside: Sequence[Found]) -> str | None:
    """A glob of the files in class folders; None where the path has characters that a glob would misread."""
    if _GLOB & set(path):
        return None
    deep = "**/" if any(f.path.count("/") > 1 for f in inside) else ""
    return f"{path.rstrip('/')}/*/{deep}*"


def _examine(root: Folder, files: Sequence[Found], modality: Modality, path: str) -> tuple[Payloads, tuple[str, ...]]:
    filled = [f for f in files if f.size]
    if not filled:
        message = f"all {len(files)} {modality} files in {path!r} are empty"
        raise InputError(message, (Problem(path, f"{message}.", "Copy the data again."),))
    missing = len(files) - len(filled)
    empty = (f"{missing} file{'s are' if missing > 1 else ' is'} empty and will fail",) if missing else ()
    payloads = [root.read(f.path) for f in spread(filled, DECODED)]
    if modality == "text":
        return examine_texts([p.decode("utf-8", "replace") for p in payloads]), empty
    looked, errors = examine(payloads, modality)
    strange, notes = _strange(root, filled, modality)
    broken = (max(looked.broken, strange) * len(filled) + missing) / len(files)
    return replace(looked, broken=broken), (*errors, *notes, *empty)


def _strange(root: Folder, files: Sequence[Found], modality: Modality) -> tuple[float, tuple[str, ...]]:
    """Share of files whose first bytes are not those of their modality, and a note that names one."""
    chosen = spread(files, _SNIFFED if root.local else DECODED)
    strange = [f.path for f in chosen if not looks_like(root.read_range(f.path, 0, _HEAD_BYTES), modality)]
    if not strange:
        return 0.0, ()
    return len(strange) / len(chosen), (f"{len(strange)} are no {modality} by their first bytes: {strange[0]}",)


def _classes_text(classes: Counter[str]) -> str:
    if not classes:
        return "no class folders"
    listed = ", ".join(f"{name} ({count:,})" for name, count in sorted(classes.items())[:_LISTED])
    more = ", …" if len(classes) > _LISTED else ""
    return f"{len(classes):,} class{'es' if len(classes) > 1 else ''} by folder: {listed}{more}"


def _class_notes(classes: Counter[str]) -> tuple[str, ...]:
    few = sorted(name for name, count in classes.items() if count < _FEW)
    if not few or len(classes) < 2:
        return ()
    listed = ", ".join(few[:_LISTED]) + (", …" if len(few) > _LISTED else "")
    return (f"{len(few)} of {len(classes)} classes have fewer than {_FEW} records: {listed}",)


def _split_folders(files: Sequence[Found]) -> dict[str, list[str]]:
    """Top folders by the split that they are named for, if all of them are."""
    tops = sorted({f.path.split("/")[0] for f in files if "/" in f.path})
    named: dict[str, list[str]] = {}
    for top in tops:
        named.setdefault(split_of_name(top) or "", []).append(top)
    return {} if "" in named or not tops else named


def _split_notes(files: Sequence[Found]) -> tuple[str, ...]:
    named = _split_folders(files)
    if not named:
        return ()
    folders = ", ".join(top for tops in named.values() for top in tops)
    notes = [
        f"The folders {folders} look like splits. fanbeam splits itself, and mixes them: to keep them apart, run it",
        "on the training folder alone (see input.path) with `split: {}`, and use the others as they are.",
    ]
    if all(f.path.count("/") == 1 for f in files):
        notes.append("The files lie directly in them, so the label would be the split's name.")
    return tuple(notes)


def _split_paths(path: str, files: Sequence[Found]) -> tuple[str, ...]:
    tops = _split_folders(files).get("train", ())
    return tuple(f"{path.rstrip('/')}/{top}" for top in tops) if not _GLOB & set(path) else ()


def _other_notes(found: Sequence[Found], wanted: Sequence[Found]) -> tuple[str, ...]:
    """Files that are passed over, by extension."""
    used = {f.path for f in wanted}
    others = [f.path for f in found if f.path not in used]
    if not others:
        return ()
    endings = Counter(PurePosixPath(name).suffix.lower() or "no extension" for name in others)
    listed = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items())[:_LISTED])
    ignored = f"{len(others):,} other file{'s are' if len(others) > 1 else ' is'} ignored: {listed}"
    tables = [name for name in others if PurePosixPath(name).name in _METADATA]
    return (
        ignored,
        *(f"{name} names files and holds their columns: give it to init, not the folder" for name in tables[:1]),
    )


def _outside_notes(outside: Sequence[Found], inside: Sequence[Found], pattern: str | None) -> tuple[str, ...]:
    if not outside or not inside:
        return ()
    names = ", ".join(f.path for f in outside[:3]) + (", …" if len(outside) > 3 else "")
    fate = "left out by the pattern" if pattern else "without a label they fail"
    return (f"{len(outside):,} outside the class folders, {fate}: {names}",)
