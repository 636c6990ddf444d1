"""Links inside of what `input.path` names: they may not lead out of it, unless `input.allow` says where to."""

from collections.abc import Iterator, Sequence

from pipeline.errors import Problem
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found
from pipeline.storage.stores.locations import real_path, within

_MOST_NAMED = 3
_HINT = "If it is meant, name its place: input.allow: [PREFIX]"


def link_problems(root: Folder, found: Sequence[Found], places: Sequence[str]) -> Iterator[Problem]:
    """Tables that are links out of the places that the config names; they are not opened."""
    for file in found if root.local else ():
        if not within(real_path(root.full(file.path)), places):
            yield Problem(file.path, "is a link that leads out of the folder of the input.", _HINT)


def link_notes(links: Sequence[Found]) -> tuple[str, ...]:
    """What people should know of folders that are links out of the input: nothing below them is read."""
    if not links:
        return ()
    names = ", ".join(repr(link.path) for link in links[:_MOST_NAMED])
    more = f" and {len(links) - _MOST_NAMED} more" if len(links) > _MOST_NAMED else ""
    return (f"{names}{more}: a link that leads out of the folder of the input; nothing below is read. {_HINT}",)
