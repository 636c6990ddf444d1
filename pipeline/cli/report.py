"""What commands say: JSON objects for machines, tables for people. No command logic."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from pipeline.errors import ExitCode, FanbeamError
from pipeline.escaping.terminal import plain, shown
from pipeline.escaping.url_credentials import masked
from pipeline.modalities.codecs.image.original_differences import told as unlike_told
from pipeline.modalities.labels.counts import rows_of
from pipeline.planning.copies.warnings import copy_warnings
from pipeline.records import SPLITS
from pipeline.sources.folder import EXTENSIONS, ending_of

if TYPE_CHECKING:
    from pipeline.audit.leaks import Leaks
    from pipeline.driver.api import Planned
    from pipeline.driver.run_options import RunResult
    from pipeline.driver.verification.verify import Report

_MAX_CLASSES = 30
_LISTED_PAIRS = 5
_REFUSED = "they have no id, label or time, stand in a line that cannot be read, or bridge splits"


def error_lines(error: FanbeamError) -> list[str]:
    """The error for people: a headline, then every problem with what to do."""
    if len(error.problems) == 1 and error.problems[0].message.rstrip(".") in error.message:
        return [str(error.problems[0])]
    return [f"error: {error.message}", *(f"  {problem}" for problem in error.problems)]


def run_json(result: "RunResult") -> dict[str, Any]:
    """What a scheduler needs of a run."""
    if result.handed_over is not None:
        handed = {
            "handed_over": True,
            "job": result.handed_over,
            "attempts": 1,
            "resumed_shards": result.resumed_shards,
        }
        return {"version": result.version, "path": result.path, **handed, "seconds": round(result.seconds, 3)}
    manifest = result.manifest
    return {
        "version": result.version,
        "path": result.path,
        "already_there": result.already_there,
        "resumed_shards": result.resumed_shards,
        "records": manifest["input"]["records"],
        "samples": result.samples,
        "splits": manifest["splits"],
        "dropped": manifest["dropped"],
        **{name: manifest[name] for name in ("labels", "unlike_originals") if name in manifest},
        **({"leaks": {n: v for n, v in manifest["leaks"].items() if n != "files"}} if "leaks" in manifest else {}),
        "shards": len(manifest["shards"]),
        "bytes": sum(s["bytes"] for s in manifest["shards"]),
        "seconds": round(result.seconds, 3),
    }


def show_run(console: Console, result: "RunResult") -> None:
    """The summary at the end of a run."""
    if result.already_there:
        _print(console, f"Nothing to do: version {result.version} is complete.\n{result.path}", soft_wrap=True)
        return
    if result.handed_over is not None:
        job = f" as job {result.handed_over}" if result.handed_over else ""
        _print(
            console, f"Handed over{job}; it commits version {result.version} by itself.\n{result.path}", soft_wrap=True
        )
        return
    splits = result.manifest["splits"]
    _print_classes(console, {s: v["classes"] for s, v in splits.items()})
    console.print(_split_table({s: (v["records"], v["samples"], v["bytes"]) for s, v in splits.items()}))
    for kind, reasons in result.manifest["dropped"].items():
        if reasons:
            _print(console, f"{kind}: {', '.join(f'{r} {n}' for r, n in reasons.items())} (see _{kind}/)")
    for what, there, kept, clipped, lost in rows_of(result.manifest.get("labels", {})):
        _print(console, f"{what} in changed samples: {kept} of {there} kept, {clipped} clipped, {lost} dropped")
    for line in unlike_told(result.manifest.get("unlike_originals", {})):
        _print(console, line, soft_wrap=True)
    leaks = result.manifest.get("leaks", {"leaking": {}})
    if any(leaks["leaking"].values()):
        counts = ", ".join(f"{kind} {count}" for kind, count in leaks["leaking"].items() if count)
        _print(console, f"shared by train and held-out rows: {counts} (see leaks.json)")
    rate = result.samples / result.seconds if result.seconds else 0.0
    resumed = f", {result.resumed_shards} shards were there already" if result.resumed_shards else ""
    _print(console, f"{result.samples} samples in {result.seconds:.1f} s ({rate:.0f} samples/s{resumed})")
    _print(console, f"Dataset: {result.path}", soft_wrap=True)


def plan_json(planned: "Planned", seconds: float) -> dict[str, Any]:
    """A plan for machines."""
    plan = planned.plan
    return {
        "version": planned.version,
        "records": plan.records,
        "samples": plan.samples,
        "splits": {
            s: {"records": p.records, "samples": p.samples, "bytes": p.bytes, "shards": p.shards}
            for s, p in plan.splits.items()
        },
        "classes": _nested(planned),
        "shards": len(plan.shards),
        "bytes": sum(p.bytes for p in plan.splits.values()),
        "refused": plan.refused,
        "ignored": list(planned.listing.ignored),
        **({"donors": planned.donors} if planned.donors else {}),
        **({"rows_from": planned.rows_from} if planned.rows_from else {}),
        **_balance_json(planned),
        "warnings": [*planned.plan.notes, *copy_warnings(planned.config.copies, plan.counted)],
        "seconds": round(seconds, 1),
    }


def _unread(planned: "Planned") -> list[str]:
    """Files that the listing leaves out, without those that columns of names may lead to."""
    named = {ending for f in planned.config.fields.values() if f.uri for ending in EXTENSIONS[f.type]}
    return [name for name in planned.listing.ignored if ending_of(name) not in named]


def show_plan(console: Console, planned: "Planned", seconds: float, workers: int) -> None:
    """A plan for people."""
    from pipeline.rendering.reuse.earlier_version import reuse_notes  # loads Arrow, which most reports do without

    plan = planned.plan
    nested = _nested(planned)
    _print_classes(console, nested)
    console.print(_split_table({s: (p.records, p.samples, p.bytes) for s, p in plan.splits.items()}))
    _print_balance(console, planned)
    for note in (*planned.plan.notes, *reuse_notes(planned.rows_from)):
        _print(console, f"note: {note}", soft_wrap=True)
    if plan.refused:
        _print(console, f"{plan.refused} records will fail: {_REFUSED}")
    if names := _unread(planned):
        more = ", …" if len(names) > 3 else ""
        _print(console, f"{len(names)} files are not read: {', '.join(map(shown, names[:3]))}{more}")
    if planned.donors:
        _print(console, f"{planned.donors} training records are at hand as partners of blends")
    shards, size = len(plan.shards), megabytes(sum(p.bytes for p in plan.splits.values()))
    _print(console, f"{plan.samples} samples in {shards} shards, about {size}")
    if planned.probe.seconds_per_sample:
        _print(console, f"About {duration(seconds)} with {workers} workers, judged by {planned.probe.records} records")
    _print(console, f"Version {planned.version}")


def verify_json(report: "Report", path: str) -> dict[str, Any]:
    """A verification for machines."""
    return {
        "path": path,
        "ok": report.ok,
        "files": report.files,
        "rows": report.rows,
        "rendered": report.rendered,
        "differences": report.differences,
        "exit_code": int(ExitCode.OK if report.ok else ExitCode.DIFFERENCES),
        "notes": report.notes,
    }


def verify_lines(report: "Report", path: str) -> Iterable[str]:
    """A verification for people."""
    yield from (f"difference: {d}" for d in report.differences)
    yield from (f"note: {n}" for n in report.notes)
    verdict = "all is as the manifest says" if report.ok else f"{len(report.differences)} differences"
    yield f"{path}: {report.files} files, {report.rows} rows, {report.rendered} samples rendered again: {verdict}"


def audit_lines(leaks: "Leaks") -> Iterable[str]:
    """An audit for people: how many rows leak in which way, with the closest pairs."""
    from pipeline.audit.leaks import KINDS

    yield from (f"not fully checked: {sentence}" for sentence in leaks.unchecked)
    if not leaks.unchecked and not leaks.checked.get("near"):
        yield "Near duplicates were not looked for."
    for kind in KINDS:
        pairs = [p for p in leaks.pairs if p.kind == kind]
        if pairs:
            yield f"{kind}: {leaks.count(kind)} rows leak"
        for pair in pairs[:_LISTED_PAIRS]:
            distance = f", distance {pair.distance:.2f}" if kind == "near" else ""
            yield f"  {pair.train} ({pair.first_side})  {pair.validation} ({pair.side})  {pair.what}{distance}"
            yield from (f"    {words!r}" for words in pair.words)
        if len(pairs) > _LISTED_PAIRS:
            yield "  …"
    if leaks.disorder:
        yield f"time: {leaks.disorder}"
    sizes = ", ".join(f"{side.rows} rows of {side.name}" for side in leaks.sides)
    verdict = "nothing leaks" if leaks.clean else "leaks" if leaks.leaks else "nothing was found; not fully checked"
    yield f"{sizes}: {verdict}"


def _print(console: Console, line: str, soft_wrap: bool = False) -> None:
    """A line that may hold text of users."""
    console.print(plain(line), soft_wrap=soft_wrap)


def megabytes(size: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _nested(planned: "Planned") -> dict[str, dict[str, dict[str, int]]]:
    """Records and samples per split and class, as they are planned."""
    out: dict[str, dict[str, dict[str, int]]] = {}
    for (split, label), records in planned.plan.classes.items():
        totals = planned.plan.splits[split]
        counted = planned.plan.counted if split == "train" else None
        samples = counted.labels.get(label, 0) if counted else records * totals.samples // totals.records
        out.setdefault(split, {})[label] = {"records": records, "samples": samples}
    return out


def _balance_json(planned: "Planned") -> dict[str, Any]:
    counted = planned.plan.counted
    if counted is None:
        return {}
    classes = {
        name: {**asdict(n), "effective_parents": round(n.effective_parents, 1)} for name, n in counted.classes.items()
    }
    return {"balance": {"target": counted.target, "classes": classes}}


def _print_balance(console: Console, planned: "Planned") -> None:
    """Training classes before and after, and of how many distinct records; then the warnings."""
    counted = planned.plan.counted
    if counted is None:
        return
    table = Table("train class", "records", "stay", "samples", "copies each", "effective parents", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    ordered = sorted(counted.classes.items(), key=lambda item: (-item[1].records, item[0]))
    for name, n in ordered[:_MAX_CLASSES]:
        own = n.staying * planned.config.keep_original
        each = (n.samples - own) / max(1, n.staying)
        table.add_row(
            shown(masked(name, False)),
            str(n.records),
            str(n.staying),
            str(n.samples),
            f"{each:.1f}",
            f"{n.effective_parents:.0f}",
        )
    if len(ordered) > _MAX_CLASSES:
        table.add_row(f"… and {len(ordered) - _MAX_CLASSES} more")
    console.print(table)
    for warning in copy_warnings(planned.config.copies, counted):
        _print(console, f"warning: {warning}", soft_wrap=True)


def _split_table(splits: dict[Any, tuple[int, int, int]]) -> Table:
    table = Table("split", "records", "samples", "bytes", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for split in (s for s in SPLITS if s in splits):
        records, samples, size = splits[split]
        table.add_row(split, str(records), str(samples), megabytes(size))
    return table


def _print_classes(console: Console, classes: dict[Any, dict[str, dict[str, int]]]) -> None:
    """Records -> samples per class and split; the largest classes if there are many; nothing without labels."""
    splits = [s for s in SPLITS if s in classes]
    sizes: dict[str, int] = {}
    for split in splits:
        for label, counts in classes[split].items():
            sizes[label] = sizes.get(label, 0) + counts["records"]
    if not sizes:
        return
    table = Table("class", *splits, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for label in sorted(sizes, key=lambda name: (-sizes[name], name))[:_MAX_CLASSES]:
        cells = [classes[s].get(label, {"records": 0, "samples": 0}) for s in splits]
        table.add_row(shown(masked(label, False)), *(f"{c['records']} → {c['samples']}" for c in cells))
    if len(sizes) > _MAX_CLASSES:
        table.add_row(f"… and {len(sizes) - _MAX_CLASSES} more")
    console.print(table)
