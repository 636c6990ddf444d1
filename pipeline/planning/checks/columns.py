"""Which types a column may have, by what it is for."""

from collections.abc import Iterator

import pyarrow as pa

from pipeline.config.loader import ConfigText, Path
from pipeline.config.schema import AnyField, JobConfig
from pipeline.errors import Problem, nearest
from pipeline.modalities.codecs.token_lists import is_token_list


def key_type_problem(field: pa.Field, role: object) -> str | None:
    """Why a column cannot be an id, a label, a group or a split."""
    kind = field.type
    if role == "label" and (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind) or pa.types.is_integer(kind):
        return None
    if role == "label" and (pa.types.is_boolean(kind) or pa.types.is_floating(kind)):
        return None
    return f"column {field.name!r} is {field.type}, which cannot be the {role}."


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _text_problem(kind: pa.DataType, field: AnyField) -> tuple[str, str] | None:
    """Why a column cannot be a text, or a list of words where the config binds an entry to each."""
    tokens = getattr(field, "tokens", None)
    if is_token_list(kind):
        message = "a column of lists of words needs the columns with an entry for each word."
        return None if tokens is not None else (message, "Add, for example: tokens: {columns: [ner_tags]}")
    if tokens is not None:
        return f"tokens needs a column of lists of words, this one is {kind}.", "Leave out tokens for a text."
    return None if _is_text(kind) else (f"a text field needs a column of text, this one is {kind}.", "")


def field_type_problem(kind: pa.DataType, field: AnyField, source: str) -> tuple[str, str] | None:
    """What is wrong with the type of a payload column, and what to do."""
    if source == "folder" or (field.uri and _is_text(kind)):
        return None
    inner = kind
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        inner = kind.field("bytes").type
    if field.uri:
        return f"uri: true needs a column of text, this one is {kind}.", "Leave out uri for payload in the table."
    if field.type == "text":
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        return _text_problem(value, field)
    if _is_bytes(inner):
        return None
    if _is_text(kind):
        return f"the {field.type} column holds text, not bytes.", "If it holds paths or URLs, add: uri: true"
    article = "an" if field.type[0] in "aeiou" else "a"
    return f"{article} {field.type} field needs bytes or struct<bytes, path>, this column is {kind}.", ""


def column_problems(config: JobConfig, kind: str, schema: pa.Schema, text: ConfigText) -> Iterator[Problem]:
    """Columns of keys and payload that the input does not have, or of a type that cannot be used."""
    names = schema.names
    keys: list[tuple[Path, str | None]] = [
        (("input", "id"), config.input.id), (("input", "label"), config.input.label),
        (("input", "group"), config.input.group), (("split", "column"), config.split.column),
        *((("split", "keep_together", "group"), name) for name in config.split.keep_together.groups),
        *((("copies", "balance"), name) for name in config.key_columns()),
    ]  # fmt: skip
    for name, path in {name: path for path, name in reversed(keys)}.items():
        if name is not None and name not in names:
            yield missing_column(text.where(path), name, names)
        elif name is not None and name != config.split.time_column:
            problem = key_type_problem(schema.field(name), path[-1])
            yield from [Problem(text.where(path), problem, "Use a column of text or whole numbers.")] if problem else []
    for name, field in config.fields.items():
        where = text.where(("fields", name))
        if name not in names:
            yield missing_column(where, name, names)
        elif unusable := field_type_problem(schema.field(name).type, field, kind):
            yield Problem(where, *unusable)


def bin_problems(config: JobConfig, schema: pa.Schema, text: ConfigText) -> Iterator[Problem]:
    """Bins of labels that there are not, or that cannot be numbers."""
    label, where = config.input.label, text.where(("input", "label_bins"))
    if config.input.label_bins is None:
        return
    if label is None:
        yield Problem(where, "label_bins needs input.label, the column of the numbers.", "Give input.label.")
    elif label in schema.names and pa.types.is_boolean(schema.field(label).type):
        yield Problem(where, f"column {label!r} holds true and false, no numbers.", "Leave label_bins out.")


def declared_problems(config: JobConfig, kind: str, names: list[str], text: ConfigText) -> Iterator[Problem]:
    """Types and delimiters that the config gives to an input that has no such column, or none at all."""
    if kind == "folder" and config.input.columns:
        where = text.where(("input", "columns"))
        yield Problem(where, "a folder of files has no columns to give types to.", "Leave it out.")
    elif kind != "folder":
        wrong = (name for name in config.input.columns if name not in names)
        yield from (missing_column(text.where(("input", "columns", name)), name, names) for name in wrong)
    if config.input.delimiter is not None and kind != "csv":
        where = text.where(("input", "delimiter"))
        yield Problem(where, f"only CSV has a delimiter, and the input is {kind}.", "Leave it out.")


def missing_column(where: str, name: str, names: list[str]) -> Problem:
    """A column that the input does not have, with the nearest one."""
    hint = nearest(name, names)
    listed = "" if hint.startswith("Known") or len(names) > 20 else f" Columns: {', '.join(names)}."
    return Problem(where, f"the input has no column {name!r}.", hint.replace("Known:", "Columns:") + listed)
