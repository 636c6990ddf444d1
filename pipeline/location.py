"""Find one row of the input again, by file and row number, without listing all of it."""

from dataclasses import replace

from pipeline.config import JobConfig
from pipeline.errors import InputError
from pipeline.records import Block
from pipeline.sources import Listing, Reader, list_input
from pipeline.storage import Folder


def located(config: JobConfig, root: Folder, name: str, number: int) -> tuple[Reader, Block]:
    """The reader of one file below `root`, and the block of row `number` in it. Raises InputError."""
    return placed(listed(config, root, name), root, name, number)


def listed(config: JobConfig, root: Folder, name: str) -> Listing:
    """The listing of one file. Raises InputError."""
    if not root.exists(name):
        raise InputError(f"no such file: {root.full(name)}. If the input moved, give --input FOLDER")
    path = {"input": config.input.model_copy(update={"path": root.full(name)})}
    return list_input(config.model_copy(update=path))


def placed(listing: Listing, root: Folder, name: str, number: int) -> tuple[Reader, Block]:
    """Reader and block of row `number` of a file that was listed alone; paths count from `root`. Raises InputError."""
    reader: Reader = replace(listing.reader, root=root)  # type: ignore[type-var]
    prefix = name[: len(name) - len(listing.files[0].path)]
    for unit in listing.units:
        first = 0 if unit.members else unit.first_row
        if first <= number < first + unit.rows:
            members = tuple(replace(m, path=prefix + m.path) for m in unit.members)
            moved = replace(unit, file=name, members=members)
            return reader, Block(moved, number - first, number - first + 1)
    raise InputError(f"{name} has no row {number} any more")
