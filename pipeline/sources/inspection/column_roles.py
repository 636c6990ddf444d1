"""Which column is the id, the label, the group, the split: by what it is called and by what it holds. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.records import SPLIT_ALIASES
from pipeline.sources.inspection.findings import Role

_ID = ("id", "uuid", "guid", "key", "identifier", "sha256", "md5", "hash", "filename", "file", "path", "name", "idx")
_LABEL = (
    "label", "labels", "class", "classes", "category", "categories", "species", "target", "sentiment", "diagnosis",
    "breed", "genre", "emotion", "intent", "topic", "tag", "tags", "rating", "stars", "score", "y",
)  # fmt: skip
_GROUP = (
    "group", "patient", "subject", "participant", "person", "observer", "user", "speaker", "author", "customer",
    "session", "scene", "recording", "video", "document", "doc", "donor", "device", "camera", "site", "location",
    "station", "family",
)  # fmt: skip
_SPLIT = ("split", "subset", "partition", "set", "fold")

FEWEST_GROUPS = 5
_MOST_CLASSES = 2000
_LISTED = 6
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What all rows of a column hold (`whole`), or the first rows of very long input.

    `counts`: how often each value occurs, for columns of few values. `names`: the classes of an integer label, where
    the schema's metadata tells them. `several`: a list per row. `class_only`: of a type that can name nothing else.
    """

    name: str
    rows: int
    nulls: int
    distinct: int
    whole: bool = True
    counts: tuple[tuple[str, int], ...] = ()
    names: tuple[str, ...] = ()
    several: bool = False
    class_only: bool = False


@dataclass(frozen=True, slots=True)
class Roles:
    """The best candidate for each role, and the others."""

    id: Role | None = None
    label: Role | None = None
    group: Role | None = None
    split: Role | None = None
    others: tuple[tuple[str, Role], ...] = ()
    unlabeled: int = 0


def roles_of(columns: Sequence[Facts]) -> Roles:
    """Give each role to one column; none has two."""
    split = next((c for c in _named(columns, _SPLIT) if _is_split(c)), None)
    split = split or next((c for c in columns if _is_split(c) and c.distinct > 1), None)
    rest = [c for c in columns if c is not split]
    label, labels = _best(rest, _LABEL, _is_label)
    rest = [c for c in rest if c is not label]
    identity, ids = _best(rest, _ID, _is_id)
    rest = [c for c in rest if c is not identity]
    group, groups = _best(rest, _GROUP, _is_group)
    if group is not None and group.distinct < FEWEST_GROUPS:
        groups = [group, *groups]
        group = None
    others = [("id", _id_role(c)) for c in ids]
    others += [("label", _label_role(c)) for c in labels if c not in (identity, group)]
    others += [("group", _group_role(c)) for c in groups]
    return Roles(
        _id_role(identity) if identity else None,
        _label_role(label) if label else None,
        _group_role(group) if group else None,
        Role(split.name, ", ".join(f"{value} ({count:,})" for value, count in split.counts)) if split else None,
        tuple(others),
        label.nulls if label else 0,
    )


def words_of_name(name: str) -> list[str]:
    """`imageId`, `image_id`, `Image ID` -> image, id."""
    return [w.lower() for w in WORD.findall(name)]


def _named(columns: Sequence[Facts], known: Sequence[str]) -> list[Facts]:
    """Columns called like that, exact names first, then by the last word of the name, then by any."""
    ranked = []
    for place, column in enumerate(columns):
        words = words_of_name(column.name)
        hits = [known.index(w) for w in words if w in known]
        if hits:
            certainty = 0 if len(words) == 1 else 1 if words[-1] in known else 2
            ranked.append((certainty, min(hits), place, column))
    return [column for *_, column in sorted(ranked, key=lambda r: r[:3])]


def _best(
    columns: Sequence[Facts], known: Sequence[str], fits: Callable[[Facts], bool]
) -> tuple[Facts | None, list[Facts]]:
    """The first fitting column of that name, and the other fitting ones."""
    fitting = [c for c in _named(columns, known) if fits(c)]
    with_classes = [c for c in columns if c.names] if known is _LABEL else []
    ordered = list(dict.fromkeys([*with_classes, *fitting]))
    return (ordered[0], ordered[1:]) if ordered else (None, [])


def _is_id(column: Facts) -> bool:
    """Unique for certain: ids that occur twice are refused."""
    unique = column.distinct == column.rows and not column.nulls and column.rows > 1
    return unique and column.whole and not column.several and not column.class_only


def _is_label(column: Facts) -> bool:
    return column.several or 1 <= column.distinct <= min(_MOST_CLASSES, max(2, column.rows // 2))


def _is_group(column: Facts) -> bool:
    """Fewer values than rows: otherwise each record is its own group."""
    return not (column.several or column.class_only) and 2 <= column.distinct <= 0.9 * (column.rows - column.nulls)


def _is_split(column: Facts) -> bool:
    """Every row must name a split, and some must be train."""
    named = [SPLIT_ALIASES.get(value.strip().lower()) for value, _ in column.counts]
    return column.whole and not column.nulls and None not in named and "train" in named


def _id_role(column: Facts) -> Role:
    return Role(column.name, f"unique in all {column.rows:,} rows")


def _label_role(column: Facts) -> Role:
    nulls = f"; {column.nulls:,} rows have none and will fail" if column.nulls else ""
    if column.several:
        return Role(column.name, f"several classes per row{nulls}")
    named = [f"{_class_name(column, value)} ({count:,})" for value, count in column.counts[:_LISTED]]
    more = ", …" if column.distinct > len(named) else ""
    listed = f": {', '.join(named)}{more}" if named else ""
    return Role(column.name, f"{column.distinct:,} class{'' if column.distinct == 1 else 'es'}{listed}{nulls}")


def _class_name(column: Facts, value: str) -> str:
    known = value.isdecimal() and int(value) < len(column.names)
    return f"{value} = {column.names[int(value)]}" if known else value


def _group_role(column: Facts) -> Role:
    few = " (few: whole groups move, so the shares will be rough)" if column.distinct < 10 * FEWEST_GROUPS else ""
    nulls = f", {column.nulls:,} rows without" if column.nulls else ""
    return Role(column.name, f"{column.distinct:,} values{nulls}{few}")
