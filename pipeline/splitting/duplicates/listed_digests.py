"""Contents of files as their store's listing tells them, at no request: a renamed file is known again by them.

S3 and what speaks its protocol give the MD5 of an object as its ETag, of one that was sent in parts that of its parts
with their number behind it. Other tags (of Google, Azure, or with keys of a customer) name a write, not a content.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.planning.job import Job
from pipeline.records import InputFile, Unit
from pipeline.splitting.facts import digests_of
from pipeline.splitting.history.inheritance import Relations
from pipeline.storage.mapped_columns import column

LISTED = "exact:listed"
_CONTENT = re.compile(r"(?:etag|md5):[0-9a-fA-F]{32}(?:-[0-9]+)?")


def listed_contents(job: Job, units: Sequence[Unit]) -> Relations:
    """LISTED, a digest for each row of a folder in such a store; nothing for other inputs."""
    if job.reader.root.local or not job.config.split.keep_together.exact:
        return {}
    if not any(_content(member) for unit in units for member in unit.members[:1]):
        return {}
    found = column(sum(unit.rows for unit in units), np.uint64)
    for first, unit in _numbered(units):
        found[first : first + unit.rows] = digests_of([_content(member) for member in unit.members])
    return {LISTED: found}


def _numbered(units: Sequence[Unit]) -> Iterator[tuple[int, Unit]]:
    first = 0
    for unit in units:
        if unit.members:
            yield first, unit
        first += unit.rows


def _content(file: InputFile) -> bytes | None:
    """What the tag says of the content; None if it says nothing, or the file is empty."""
    return f"{file.size}:{file.tag}".encode() if file.size and _CONTENT.fullmatch(file.tag) else None
