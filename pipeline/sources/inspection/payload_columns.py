"""Columns of payload in a table: bytes by their first bytes, files by their names, texts by their words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.errors import UsageError
from pipeline.escaping.url_credentials import masked
from pipeline.modalities.codecs.token_lists import is_token_list
from pipeline.records import Unit
from pipeline.sources import Listing
from pipeline.sources.folder import EXTENSIONS
from pipeline.sources.inspection.column_roles import words_of_name
from pipeline.sources.inspection.findings import FieldFound, Modality, Payloads
from pipeline.sources.inspection.payload_samples import DECODED, examine, examine_texts, modality_of, spread
from pipeline.sources.payloads import BYTES
from pipeline.sources.references.file_names import are_file_names, file_ending, like_path
from pipeline.sources.references.file_references import References, resolve
from pipeline.sources.strings import values_of
from pipeline.storage.stores.locations import OutsideAllowed

_SNIFFED = 24
_LARGEST = 2**30
_CHECKED_FILES = 40
_MOST_NAMED = 0.9
_NATURAL_CHARACTERS, _NATURAL_SHARE = 20, 0.5
_TEXT_NAMES = frozenset({
    "text", "caption", "sentence", "comment", "review", "body", "content", "description", "question", "answer",
    "title", "transcript", "transcription", "prompt", "message", "summary", "abstract", "headline", "tweet",
    "premise", "hypothesis", "utterance", "query", "document",
})  # fmt: skip
_TOKENS = frozenset({"token", "tokens", "words"})
_MASKS = frozenset({"mask", "masks", "segmentation", "thumbnail", "thumb", "depth", "annotation"})
_EXTENSIONS: dict[str, Modality] = {
    extension: modality
    for modality in ("volume", "video", "image", "audio", "text")  # a GIF is a picture unless the config says more
    for extension in EXTENSIONS[modality]
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sampled:
    """The first rows of a unit."""

    unit: Unit
    rows: pa.Table


def find_payloads(listing: Listing, samples: Sequence[Sampled]) -> tuple[list[FieldFound], list[str]]:
    """Columns of images, sounds, volumes, and of names of files that exist; remarks about columns that nearly are."""
    fields: list[FieldFound] = []
    remarks: list[str] = []
    for column in listing.schema:
        found = None
        if _holds_bytes(column.type):
            found = _bytes_field(column, samples)
        elif is_text(column.type) and (modality := named_modality(_values(samples, column.name))):
            found = _uri_field(listing, samples, column.name, modality)
        if isinstance(found, FieldFound):
            fields.append(found)
        elif found:
            remarks.append(found)
    return sorted(fields, key=lambda f: (bool(_MASKS & set(words_of_name(f.column))), f.uri)), remarks


def find_texts(listing: Listing, samples: Sequence[Sampled], taken: set[str]) -> list[FieldFound]:
    """Columns of natural language, the one with the longest texts first; a telling name counts threefold."""
    found = []
    for column in listing.schema:
        values = _values(samples, column.name) if is_text(column.type) and column.name not in taken else []
        texts = [v for v in values if v]
        weight = 0.0 if are_file_names(texts) else _language_weight(column.name, texts)
        if weight:
            refused = 1 - len(values) / sum(s.rows.num_rows for s in samples)
            found.append((weight, FieldFound(column.name, "text", False, refused, examine_texts(texts))))
    return [field for _, field in sorted(found, key=lambda f: -f[0])]


def find_token_lists(listing: Listing, samples: Sequence[Sampled]) -> list[FieldFound]:
    """Columns of lists of words that are called so: texts of which other columns tag each word."""
    found = []
    for column in listing.schema:
        if not is_token_list(column.type) or not _TOKENS & set(words_of_name(column.name)):
            continue
        values = _values(samples, column.name)
        texts = [" ".join(word for word in words if word) for words in values if words]
        if texts:
            refused = 1 - len(values) / sum(s.rows.num_rows for s in samples)
            found.append(FieldFound(column.name, "text", False, refused, examine_texts(texts)))
    return found


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, dictionary encoded or not."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index(BYTES)
        return place >= 0 and _holds_bytes(kind.field(place).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _values(samples: Sequence[Sampled], name: str) -> list[Any]:
    return [v for s in samples for v in values_of(s.rows.column(name)) if v is not None]


def _bytes_field(column: pa.Field, samples: Sequence[Sampled]) -> FieldFound | str:
    """The field, or why the column cannot be one."""
    rows = sum(s.rows.num_rows for s in samples)
    values = _values(samples, column.name)
    payloads = [p for v in values if (p := v.get(BYTES) if isinstance(v, dict) else v) is not None]
    if not payloads:
        return f"Column {column.name!r} has no bytes in the rows looked at; paths within a struct are not followed"
    modality = modality_of(spread(payloads, _SNIFFED))
    if modality is None:
        return f"Column {column.name!r} holds bytes that are no image or sound or volume that can be read"
    looked, notes = examine(payloads, modality)
    return FieldFound(column.name, modality, False, 1 - len(payloads) / rows, looked, notes)


def named_modality(values: Sequence[str]) -> Modality | None:
    """What most values are the file names of; None where most are no file names."""
    kinds = Counter(_EXTENSIONS.get(file_ending(v)) for v in values)
    named = [(count, kind) for kind, count in kinds.items() if kind is not None]
    if not named:
        return None
    count, kind = max(named, key=lambda n: n[0])
    return kind if count >= _MOST_NAMED * len(values) else None


def _uri_field(listing: Listing, samples: Sequence[Sampled], name: str, modality: Modality) -> FieldFound | str:
    """The field, or where its files are missing. Web addresses are believed: asking for them all could be slow."""
    column = References(listing.reader.root, (), (), _LARGEST)
    places = [
        (value, s.unit.file) for s in samples for value in values_of(s.rows.column(name)) if isinstance(value, str)
    ]
    chosen = spread(places, _CHECKED_FILES)
    if all(written.startswith(("http://", "https://")) for written, _ in chosen):
        return FieldFound(name, modality, True, notes=("web addresses, not looked at",))
    found = [(place, _why_not(column, *place)) for place in chosen]
    there = [place for place, why in found if not why]
    if not there:
        (written, file), why = found[0]
        where = masked(resolve(written, listing.reader.root, file))
        return f"Column {name!r} names files that {why}: {masked(written)!r} should be at {where}"
    rows = sum(s.rows.num_rows for s in samples)
    absent = 1 - len(there) / len(chosen)
    notes = (f"{len(chosen) - len(there)} of {len(chosen)} files looked for are missing",) if absent else ()
    payloads = [column.read(*place) for place in spread(there, DECODED)]
    modality = "volume" if modality == "image" and modality_of(payloads) == "volume" else modality
    looked, errors = _examined(payloads, modality)
    return FieldFound(name, modality, True, max(absent, 1 - len(places) / rows), looked, (*notes, *errors))


def _why_not(column: References, written: str, file: str) -> str:
    """Why a file cannot be read; empty if it is there."""
    try:
        column.stat(written, file)
    except FileNotFoundError:
        return "are not there"
    except OutsideAllowed as error:
        return f"are not read ({error}; if they are meant, give the field uri: {{allow: [PREFIX]}})"
    except (OSError, ValueError, UsageError) as error:
        return f"cannot be read ({masked(getattr(error, 'strerror', None) or str(error))})"
    return ""


def _examined(payloads: Sequence[bytes], modality: Modality) -> tuple[Payloads, tuple[str, ...]]:
    if modality == "text":
        return examine_texts([p.decode("utf-8", "replace") for p in payloads]), ()
    return examine(payloads, modality)


def _language_weight(name: str, texts: Sequence[str]) -> float:
    """Mean length of texts that look like language; 0 for codes, names, addresses and serialised data."""
    if not texts:
        return 0.0
    mean = sum(len(t) for t in texts) / len(texts)
    spaced = sum(any(c.isspace() for c in t.strip()) for t in texts) / len(texts)
    dense = sum(not t.isascii() for t in texts) / len(texts)
    telling = bool(_TEXT_NAMES & set(words_of_name(name)))
    odd = sum("://" in t[:12] or t.lstrip()[:1] in ("{", "[", "<") for t in texts) / len(texts)
    odd += 0.0 if telling else sum(map(like_path, texts)) / len(texts)
    if odd > _NATURAL_SHARE or (not telling and (mean < _NATURAL_CHARACTERS or spaced < _NATURAL_SHARE)):
        return 0.0
    return mean * (3 if telling else 1) if max(spaced, dense) > 0.1 or telling else 0.0
