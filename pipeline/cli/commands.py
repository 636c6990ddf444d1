"""Bodies of the commands: call the room that does the work, then say what came out."""

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.cli.output import known, put
from pipeline.errors import Damaged, ExitCode, FanbeamError, UsageError
from pipeline.escaping.terminal import plain

if TYPE_CHECKING:
    from pipeline.config.loader import ConfigText

_STEP_NAME = re.compile(r"\b[a-z]\w*\.[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class RunFlags:
    """Flags of `run` that are no part of the config."""

    runner: str
    workers: int | None
    beam: tuple[str, ...]
    debug: bool
    attempts: int = 3


def init(data: str, output: str, force: bool, generator: str | None, as_json: bool) -> None:
    """Write a config for some data; `generator` holds the arguments of an ImageDataGenerator, as JSON."""
    from pipeline.cli.init.keras_generator import translated
    from pipeline.cli.init.starter_config import config_text
    from pipeline.cli.init.starter_labels import told
    from pipeline.driver.inspection import described_apart
    from pipeline.storage.folder import Folder, write_file

    if not force and Folder.at(output).exists():
        raise UsageError(f"{output} exists. Give another name with -o, or --force to replace it")
    translation = translated(generator) if generator is not None else None
    findings = described_apart(data)
    write_file(output, config_text(findings, output, translation).encode())
    left = translation.left if translation else ()
    labels = told(findings.fields)
    if as_json:
        more = {"left_to_the_training_code": list(left)} if translation else {}
        put({"config": output, **more, **({"labels": labels} if labels else {})})
        return
    for line in labels:
        _say(line)
    for note in left:
        _say(f"Left to the training code: {note}")
    _say(f"Wrote {output}. Next:\n  fanbeam preview {output} -o sheet.png\n  fanbeam run {output}")


def check(config: str, overrides: list[str], as_json: bool) -> None:
    """Check a config."""
    from pipeline.config.loader import read_config
    from pipeline.driver.inspection import warned_apart
    from pipeline.planning.checks.check import checked

    valid, listing = checked(read_config(config, overrides))
    warnings = [*listing.notes, *warned_apart(valid, listing)]
    if as_json:
        put({"ok": True, "files": len(listing.files), "kind": listing.kind, "warnings": warnings})
        return
    for warning in warnings:
        _say(f"warning: {warning}")
    _say(f"{config}: fine. {len(listing.files)} input files ({listing.kind}).")


def _begun(config: str, overrides: list[str]) -> "ConfigText":
    """The config, read; a process for workers begins to load the libraries while this one does everything else."""
    from pipeline.engines.local.fork_server import start_for
    from pipeline.storage.folder import read_text

    with suppress(FanbeamError, OSError, UnicodeDecodeError):  # said by read_config, with what to do
        start_for(_STEP_NAME.findall("\n".join((read_text(config), *overrides))))
    from pipeline.config.loader import read_config

    return read_config(config, overrides)


def plan(config: str, overrides: list[str], workers: int | None, as_json: bool) -> None:
    """Show what a run would make."""
    text = _begun(config, overrides)
    from pipeline.cli import report
    from pipeline.driver import api
    from pipeline.engines.local.pool import default_count
    from pipeline.planning.plan import estimated_seconds

    planned = api.plan(text)
    count = workers or default_count()
    seconds = estimated_seconds(planned.plan, planned.probe, count)
    if as_json:
        put(report.plan_json(planned, seconds))
        return
    report.show_plan(_console(), planned, seconds, count)


def preview(config: str, overrides: list[str], output: str, records: int, as_json: bool) -> None:
    """Draw a contact sheet."""
    text = _begun(config, overrides)
    from pipeline.driver.preview import preview_families
    from pipeline.preview.sheet import contact_sheet, sheet_bytes
    from pipeline.storage.folder import write_file

    job, families = preview_families(text, records)
    write_file(output, sheet_bytes(contact_sheet(job, families, config), output))
    if as_json:
        put({"sheet": output, "records": len(families)})
        return
    _say(f"Wrote {output}")


def run(config: str, overrides: list[str], flags: RunFlags, as_json: bool) -> None:
    """Make the dataset."""
    text = _begun(config, overrides)
    from pipeline.cli import report
    from pipeline.cli.progress import Bar, Lines
    from pipeline.driver.run import run_job
    from pipeline.driver.run_options import RunOptions
    from pipeline.engines.progress import Noting, Silent

    quiet = as_json and not sys.stderr.isatty()
    watch = Noting(Silent() if quiet else Bar() if sys.stderr.isatty() else Lines(_warn), known())
    try:
        result = run_job(text, RunOptions(flags.runner, flags.workers, flags.beam, flags.debug, flags.attempts, watch))
    finally:
        watch.end()
    if as_json:
        put({**known(), **report.run_json(result), "exit_code": int(ExitCode.OK)})
        return
    report.show_run(_console(), result)


def verify(dataset: str, samples: int, input_path: str | None, as_json: bool) -> ExitCode:
    """Check a dataset; DIFFERENCES if there are any."""
    from pipeline.cli import report
    from pipeline.dataset.reader import open_dataset
    from pipeline.driver.verification.verify import Report
    from pipeline.driver.verification.verify import verify as verify_dataset

    path = dataset
    try:
        opened = open_dataset(dataset)
        path = opened.path
        found = verify_dataset(opened, samples, input_path)
    except Damaged as error:  # nothing else can be checked without a manifest
        found = Report(differences=[error.message])
    if as_json:
        put(report.verify_json(found, path))
    else:
        for line in report.verify_lines(found, path):
            _say(line)
    return ExitCode.OK if found.ok else ExitCode.DIFFERENCES


@dataclass(frozen=True, slots=True)
class AuditFlags:
    """Flags of `audit`: columns of two sets (field, id, group); whether and how near duplicates are looked for."""

    columns: tuple[str | None, str | None, str | None]
    near: bool = True
    threshold: float | None = None
    mirrored: bool = False


def audit(train: str, validation: str | None, flags: AuditFlags, as_json: bool) -> ExitCode:
    """Audit a dataset, or any two sets; DIFFERENCES if something leaks."""
    from pipeline.audit.external_sets import Named
    from pipeline.audit.set_audit import Near
    from pipeline.cli import report
    from pipeline.dataset.reader import open_dataset
    from pipeline.driver.audit import audit_dataset, audit_sets

    if validation is None and any(flags.columns):
        raise UsageError("--field, --id and --group are for two sets; a dataset's manifest names its own columns")
    near = Near(flags.threshold, flags.mirrored) if flags.near else None
    if validation is None:
        leaks = audit_dataset(open_dataset(train), near)
    else:
        leaks = audit_sets(train, validation, Named(*flags.columns), near)
    if as_json:
        put(leaks.as_json())
    else:
        for line in report.audit_lines(leaks):
            _say(line)
    for sentence in leaks.unchecked:
        _warn(f"warning: not fully checked. {sentence}")
    return ExitCode.OK if leaks.clean else ExitCode.DIFFERENCES


def replay(dataset: str, sample_id: str, output: str | None, input_path: str | None, as_json: bool) -> ExitCode:
    """Render one sample again; DIFFERENCES if it is not the same."""
    from pipeline.dataset.reader import open_dataset
    from pipeline.driver.replay import replay as replay_rows
    from pipeline.driver.replay import row_of, write_payloads

    opened = open_dataset(dataset)
    row = row_of(opened.row(sample_id), 0, opened.config("-", opened.path))
    (result,) = replay_rows(opened, [row], input_path)
    written = write_payloads(result, output) if output else []
    if as_json:
        found = {"sample_id": sample_id, "sha256": result.sha256, "difference": result.difference}
        put({**found, "same": not result.difference, "written": written})
    else:
        _say(f"{sample_id}: {result.difference or f'the same again, sha256 {result.sha256}'}")
        for name in written:
            _say(f"Wrote {name}")
    return ExitCode.DIFFERENCES if result.difference else ExitCode.OK


def transforms(name: str | None, as_json: bool) -> None:
    """List transforms, or describe one."""
    from pipeline.cli.catalog import catalogue, described

    found = catalogue(name) if name is None or "." not in name else described(name)
    if as_json:
        put(found.as_json())
        return
    for line in found.lines():
        _say(line)


def resources(as_json: bool) -> None:
    """List what transforms need beside their libraries."""
    from pipeline.cli.resources import resources as listed

    found = listed()
    if as_json:
        put(found.as_json())
        return
    for line in found.lines():
        _say(line)


def schema() -> None:
    """Print the JSON Schema of the config."""
    from pipeline.config.json_schema import json_schema

    put(json_schema(), for_people=True)


def demo(folder: str, as_json: bool, debug: bool) -> None:
    """Make data, a config, a dataset, and a picture of it."""
    from pipeline.cli.demo import make_demo

    made = make_demo(folder)
    flags = RunFlags("direct", None, (), debug)
    if as_json:
        run(made.config, [], flags, as_json)
        return
    _say(f"Data:    {made.data}\nConfig:  {made.config}")
    preview(made.config, [], made.sheet, 5, as_json)
    run(made.config, [], flags, as_json)
    verify(made.output, 16, None, as_json)
    _say(f"\nLook at {made.sheet}, {made.config} and {made.output}.\nWith data of your own: fanbeam init YOUR_DATA")


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)  # what is printed holds text of users


def _say(line: str) -> None:
    sys.stdout.write(f"{plain(line)}\n")


def _warn(line: str) -> None:
    sys.stderr.write(f"{plain(line)}\n")
    sys.stderr.flush()
