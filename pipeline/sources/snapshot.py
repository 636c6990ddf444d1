"""The input as it was listed. What is read later must still be that: a shard made of anything else gets no receipt."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from pipeline.errors import FanbeamError, InputError, Problem, RunFailed
from pipeline.modalities.labels.mask_files import files_of_labels
from pipeline.records import Block, InputFile, Unit
from pipeline.sources import Reader
from pipeline.sources.open_input import open_input
from pipeline.sources.payloads import RecordSource
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import MISSING

_NAMED = 3
_DAMAGED = "The file is damaged: fetch or write it again."


def read_listed(
    reader: Reader, unit: Unit, columns: Sequence[str] | None, start: int, stop: int
) -> Iterator[pa.RecordBatch]:
    """`reader.read`. Raises RunFailed if the file is not the listed one any more, InputError if it is damaged."""
    try:
        yield from reader.read(unit, columns, start, stop)
    except (OSError, pa.ArrowException, InputError) as error:
        refuse_changed(reader.root, (Block(unit, start, stop),))
        if isinstance(error, InputError):
            raise
        where, what = _place(unit, start, stop), f"cannot be read: {str(error).splitlines()[0].rstrip('.')}"
        raise InputError(f"{where}: {what}", (Problem(where, f"{what}.", _DAMAGED),)) from error


def _place(unit: Unit, start: int, stop: int) -> str:
    """File, row group and rows of the file."""
    group = "" if unit.end or unit.members else f" row group {unit.part},"
    return f"{unit.file}{group} rows {unit.first_row + start}..{unit.first_row + stop}"


def refuse_changed(root: Folder, blocks: Iterable[Block]) -> None:
    """Raise RunFailed if a file that the blocks are read from is not the listed one any more."""
    listed = {name: file for block in blocks for name, file in _sources(root, block)}
    _refuse([name for name, file in listed.items() if not _is(root, name, file)])


def refuse_changed_references(source: RecordSource, files: Sequence[InputFile]) -> None:
    """Raise RunFailed if files that the input refers to are not those that were counted into the snapshot."""
    if not source.external and not files_of_labels(source.config):
        return
    now, why = {}, ""
    try:
        now = {f.path: f for f in open_input(source.config)[1].files}
    except FanbeamError as error:
        why = error.problems[0].message if error.problems else error.message
    if why:  # not raised from that error: else it would be told, as if the input had been wrong from the start
        raise _changed(why)
    _refuse([f.path for f in files if now.get(f.path) != f])


def _sources(root: Folder, block: Block) -> Iterator[tuple[str, InputFile]]:
    """Names and listed states of a block's files; those of a remote folder are left to the commit: too many calls."""
    unit = block.unit
    if unit.listed is not None:
        yield unit.file, unit.listed
    elif root.local:
        yield from ((m.path, m) for m in unit.members[block.start : block.stop])


def _is(root: Folder, name: str, listed: InputFile) -> bool:
    try:
        now = root.stat(name)
    except OSError:
        return listed.tag == MISSING
    if listed.tag == MISSING:
        return False
    comparable = now.tag.partition(":")[0] == listed.tag.partition(":")[0]
    return not comparable or (now.size, now.tag) == (listed.size, listed.tag)


def _refuse(names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise _changed(", ".join(sorted(names)[:_NAMED]) + more)


def _changed(what: str) -> RunFailed:
    return RunFailed(
        f"the input changed during the run ({what}). Nothing was committed. "
        "Run the same command again: it makes a dataset of the input as it is now."
    )
