"""Findings -> a commented YAML config that runs as it is; what was not chosen stands there as comments."""

import json
import math
import os
import posixpath
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pipeline.cli.init.keras_generator import Translation
from pipeline.cli.init.starter_labels import label_lines
from pipeline.cli.init.starter_recipes import generator_lines, makes_copies, recipe_lines
from pipeline.errors import InputError, Problem
from pipeline.sources.inspection.findings import FieldFound, Findings, Payloads, Role
from pipeline.storage.folder import absolute, is_url

_COMMENT_COLUMN = 38
_ALLOWED_FAILED = 0.01
_PLAIN = re.compile(r"(?:\.{0,2}/)*[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_GLOB = frozenset("*?[")
_LISTED = 6
_HASHED = "by a hash of id or group"


def config_text(findings: Findings, output: str, generator: Translation | None = None) -> str:
    """The config as YAML. `output` is the path that it will be written to, for the command in its first line.

    `generator` stands for the starter recipe, and for the split if it has one. Raises InputError where no folder beside
    the data is left for the dataset, and where a generator of pictures meets other data.
    """
    if generator and findings.fields[0].modality != "image":
        message = f"{findings.source!r} holds {findings.fields[0].modality}, and ImageDataGenerator is for images"
        raise InputError(message, (Problem(findings.source, f"{message}.", "Leave the option out."),))
    _refuse_unusable(findings)
    dataset = dataset_path(findings)
    lines = [
        f"# fanbeam run {_comment(output)}     ->  {_comment(dataset)}/<version>/",
        f"# Found: {_comment(findings.summary)}.",
        *(f"# {_comment(note)}" for note in findings.notes),
        "",
        _with_comment("seed: 0", "another seed draws other augmentations; splits stay"),
        *_input_lines(findings),
        *_split_lines(findings, generator),
        _copies_line(findings.fields[0], generator),
        "fields:",
        *_field_lines(findings.fields[0], generator),
        *(line for other in findings.other_fields[:_LISTED] for line in _other_field_lines(other)),
        "output:",
        f"  path: {quoted(dataset)}",
        "  # shard_size: 64MiB",
        *_limit_lines(findings.refused),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def dataset_path(findings: Findings) -> str:
    """`out/<name>`, or a folder beside the data where that would lie inside of it. Raises InputError."""
    name = _name_of(findings)
    taken = [absolute(p) for p in findings.paths]
    if findings.kind == "folder" or any("**" in p for p in findings.paths):
        taken.append(findings.root)
    choices = [f"out/{name}"]
    if not is_url(findings.root):
        choices.append(os.path.relpath(posixpath.join(posixpath.dirname(findings.root), f"{name}-augmented")))
    for choice in choices:
        if not any(_inside(absolute(choice), root) for root in taken):
            return choice
    message = f"every folder for the dataset would lie inside {findings.source!r}"
    raise InputError(message, (Problem(findings.source, f"{message}.", "Move the data into a folder of its own."),))


def quoted(value: str) -> str:
    """A string as a YAML scalar: plain where that is safe, else in double quotes as JSON writes it."""
    if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    return json.dumps(value, ensure_ascii=any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in value))


def _inside(path: str, root: str) -> bool:
    return is_url(path) == is_url(root) and (path == root or path.startswith(root.rstrip("/") + "/"))


def _name_of(findings: Findings) -> str:
    """A folder's name made of the data's."""
    path = findings.source if is_url(findings.source) else absolute(findings.source)
    parts = [p for p in path.split("/") if p and not _GLOB & set(p)]
    last = parts[-1] if parts else ""
    stem = PurePosixPath(last).stem if findings.kind != "folder" or PurePosixPath(last).suffix else last
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "dataset"


def _input_lines(findings: Findings) -> Iterator[str]:
    yield "input:"
    paths = [quoted(p) for p in findings.paths]
    yield f"  path: {paths[0]}" if len(paths) == 1 else f"  path: [{', '.join(paths)}]"
    for path in findings.other_paths:
        yield f"  # path: {quoted(path)}"
    if findings.forced:
        yield _with_comment(f"  format: {findings.forced}", "other kinds of files lie there too")
    if findings.kind == "folder":
        yield "  # id: the file's path; label: the name of the folder that it lies in"
        return
    roles = (("id", findings.id), ("label", findings.label), ("group", findings.group))
    for key, role in roles:
        if role is not None:
            told = f"{role.note}; never in two splits" if key == "group" else role.note
            yield _with_comment(f"  {key}: {quoted(role.column)}", told)
        else:
            yield from _absent_role(key, findings.other_roles)
        others = [r for k, r in findings.other_roles if k == key]
        for other in others[:_LISTED]:
            yield _with_comment(f"  # {key}: {quoted(other.column)}", other.note)


def _absent_role(key: str, others: Sequence[tuple[str, Role]]) -> Iterator[str]:
    told = {
        "id": "no column of unique ids found; records are known by file and row",
        "label": "no column of classes found",
        "group": "records of one patient, user, place, … that must not be in two splits",
    }
    if not any(k == key for k, _ in others):
        yield _with_comment(f"  # {key}: COLUMN", told[key])


def _split_lines(findings: Findings, generator: Translation | None) -> Iterator[str]:
    by, told = ("by: stratified, ", "each class keeps its share") if _has_classes(findings) else ("", _HASHED)
    if generator and generator.validation:
        yield _with_comment(f"split: {{{by}validation: {generator.validation:g}}}", f"validation_split; {told}")
    elif findings.split is not None:
        yield _with_comment(f"split: {{column: {quoted(findings.split.column)}}}", findings.split.note)
        yield _with_comment(f"# split: {{{by}validation: 0.1, test: 0.1}}", f"instead; {told}")
    else:
        yield _with_comment(f"split: {{{by}validation: 0.1, test: 0.1}}", f"{told}; train gets the rest")


def _has_classes(findings: Findings) -> bool:
    """Whether the config that is written has labels."""
    return findings.sorted_by_class if findings.kind == "folder" else findings.label is not None


def _copies_line(found: FieldFound, generator: Translation | None) -> str:
    if generator is None and not makes_copies(found):
        return _with_comment("copies: 0", "no step is active below: copies would only repeat their originals")
    return _with_comment("copies: 4", "per training record, besides the original")


def _field_lines(found: FieldFound, generator: Translation | None) -> Iterator[str]:
    yield f"  {quoted(found.column)}:"
    for line in (_payload_text(found), *found.notes):
        yield f"    # {_comment(line)}" if line else ""
    yield f"    type: {found.modality}"
    if found.uri:
        yield _with_comment("    uri: true", "the column names files; relative names count from the table's folder")
    for line, told in label_lines(found):
        yield f"    {_comment(line)}" if line.startswith("#") else _with_comment(f"    {line}", told)
    for line in generator_lines(generator, found) if generator else recipe_lines(found):
        yield f"    {line}"


def _other_field_lines(found: FieldFound) -> Iterator[str]:
    """A field that is not chosen, as a comment that can be made valid."""
    extra = ", uri: true" if found.uri else ""
    yield f"  # {quoted(found.column)}: {{type: {found.modality}{extra}, augment: []}}"


def _payload_text(found: FieldFound) -> str:
    seen = found.payloads
    if not seen.seen:
        return ""
    if found.modality == "text":
        return f"median {seen.words:g} words in {seen.seen:,} texts looked at"
    return f"{', '.join(seen.formats)}; {_range(found.modality, seen)} in {seen.seen:,} looked at"


def _range(modality: str, seen: Payloads) -> str:
    if modality == "image":
        return f"sides of {seen.smallest:.0f} to {seen.largest:.0f} pixels"
    if modality == "volume":
        return f"sides of {seen.smallest:.0f} to {seen.largest:.0f} voxels"
    rates = ", ".join(f"{rate / 1000:g}" for rate in seen.rates)
    return f"{seen.smallest:.2f} to {seen.largest:.2f} seconds at {rates} kHz"


def _limit_lines(refused: float) -> Iterator[str]:
    """The ordinary limits. They are never lifted to fit damaged data: whoever accepts the loss says so."""
    yield "# limits: {failed: 0.01, rejected: 0.2}   # above these shares nothing is committed"
    if refused > _ALLOWED_FAILED / 2:
        allowed = min(1.0, math.ceil(refused * 110 + 1) / 100)
        share = f"{refused:.1%} of the records"
        yield f"# NOTE: about {share} lack label or payload, or cannot be decoded: they will fail."
        yield "# A run stops at this limit and lists them in _failed: fix or remove them; if they may be lost, write"
        yield f"# limits: {{failed: {allowed:g}}}"


def _refuse_unusable(findings: Findings) -> None:
    """Raise InputError if no record can be used: no limit makes a dataset of that."""
    if findings.refused < 1:
        return
    causes = [note for found in (*findings.fields, *findings.other_fields) for note in found.notes]
    cause = f": {'; '.join(causes)}" if causes else ""
    message = f"no record of {findings.source!r} can be used{cause}"
    cure = "Convert the files to a format that is read, or give labels; `fanbeam init --help` shows what it takes."
    raise InputError(message, (Problem(findings.source, f"{message}.", cure),))


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<{_COMMENT_COLUMN - 2}}  # {_comment(comment)}" if comment else line


def _comment(text: str) -> str:
    """Text that stays within its comment line."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text)
