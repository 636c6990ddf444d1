"""Find one row of the input again, by file and row number, without listing all of it."""

from pipeline.config import JobConfig
from pipeline.errors import InputError
from pipeline.records import Block
from pipeline.sources import Listing, Reader, list_file
from pipeline.storage import Folder


def located(config: JobConfig, root: Folder, name: str, number: int) -> tuple[Reader, Block]:
    """The reader of one file below `root`, and the block of row `number` in it. Raises InputError."""
    listing = list_file(config, root, name)
    return listing.reader, placed(listing, name, number)


def placed(listing: Listing, name: str, number: int) -> Block:
    """The block of row `number` of a file that was listed alone. Raises InputError."""
    for unit in listing.units:
        first = 0 if unit.members else unit.first_row
        if first <= number < first + unit.rows:
            return Block(unit, number - first, number - first + 1)
    raise InputError(f"{name} has no row {number} any more")
