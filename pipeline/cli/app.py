"""The commands. Each body is one call into another room; heavy imports happen inside."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.command_groups import CommandGroups

app = typer.Typer(
    name="fanbeam",
    cls=CommandGroups,
    epilog="First steps: fanbeam init DATA -o config.yaml; fanbeam preview config.yaml; fanbeam run config.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigPath = Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file; local or any fsspec URL.")]
DatasetPath = Annotated[str, typer.Argument(metavar="DATASET", help="Output folder, or one of its version folders.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the libraries' own messages.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a config key, e.g. --set copies=8.")
]
Input = Annotated[str | None, typer.Option("--input", metavar="FOLDER", help="Where the sources are now, if moved.")]
_PASSING = {"allow_extra_args": True, "ignore_unknown_options": True}


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fanbeam {version('fanbeam')}")
        raise typer.Exit


@app.callback()
def fanbeam(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and leave.")
    ] = False,
) -> None:
    """Multiply labeled records without leaks: same config, same data, same bytes."""


@app.command(epilog="Example: fanbeam init photos/ -o birds.yaml")
def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="File, glob or folder of records.")],
    output: Annotated[str, typer.Option("-o", "--output", help="The config to write.")] = "config.yaml",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config.")] = False,
    generator: Annotated[
        str | None,
        typer.Option(
            "--from-image-data-generator",
            metavar="JSON",
            help="Arguments of Keras' ImageDataGenerator, for steps that do the same (albumentations', always there).",
        ),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Inspect data and write a starter config with comments."""
    from pipeline.cli import commands

    commands.init(data, output, force, generator, as_json)


@app.command(epilog="Example: fanbeam check birds.yaml")
def check(config: ConfigPath, set_: Set = None, as_json: Json = False, debug: Debug = False) -> None:
    """Report every problem of a config and its input."""
    from pipeline.cli import commands

    commands.check(config, set_ or [], as_json)


@app.command(epilog="Example: fanbeam plan birds.yaml --set copies=8")
def plan(
    config: ConfigPath,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes to estimate the time for.")] = None,
    set_: Set = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show splits, samples, shards, bytes and time of a run.

    Writes nothing.
    """
    from pipeline.cli import commands

    commands.plan(config, set_ or [], workers, as_json)


@app.command(epilog="Example: fanbeam preview birds.yaml -o sheet.png")
def preview(
    config: ConfigPath,
    output: Annotated[str, typer.Option("-o", "--output", help="Picture to write.")] = "sheet.png",
    records: Annotated[int, typer.Option(min=1, max=100, help="Rows of the sheet.")] = 6,
    set_: Set = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw originals with their copies, and what was done."""
    from pipeline.cli import commands

    commands.preview(config, set_ or [], output, records, as_json)


@app.command(context_settings=_PASSING, epilog="Example: fanbeam run birds.yaml --workers 2 --set seed=18")
def run(
    context: typer.Context,
    config: ConfigPath,
    runner: Annotated[
        str, typer.Option(help="direct, flink, spark, dataflow or prism, or Beam's own name for it.")
    ] = "direct",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "--direct_num_workers",
            min=1,
            help="Processes of this machine, or of each worker of the engine; default: one per core.",
        ),
    ] = None,
    attempts: Annotated[
        int, typer.Option(min=1, help="How often to submit what is missing before an engine that dies is given up.")
    ] = 3,
    set_: Set = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make the dataset, or resume a run that was interrupted.

    Options that are not listed here are passed to Beam. Rerun the same command to resume from finished shards.
    """
    from pipeline.cli import commands

    commands.run(config, set_ or [], commands.RunFlags(runner, workers, tuple(context.args), debug, attempts), as_json)


@app.command(epilog="Example: fanbeam verify out/birds --samples 50")
def verify(
    dataset: DatasetPath,
    samples: Annotated[int, typer.Option(min=0, help="Samples to render again; 0: the sources are not read.")] = 16,
    input_: Input = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare a dataset with its manifest and its sources.

    Checks checksums, ids, splits and rows, and renders some samples again. Exit code 1: differences were found.
    """
    from pipeline.cli import commands

    raise typer.Exit(commands.verify(dataset, samples, input_, as_json))


@app.command(epilog="Example: fanbeam replay out/birds IMG_0042.jpg/3 -o again.jpg")
def replay(
    dataset: DatasetPath,
    sample_id: Annotated[str, typer.Argument(metavar="SAMPLE_ID", help="As in the column sample_id.")],
    output: Annotated[str | None, typer.Option("-o", "--output", help="Write the payload rendered again.")] = None,
    input_: Input = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Render one sample again from its source and compare it.

    Exit code 1: the sample differs.
    """
    from pipeline.cli import commands

    raise typer.Exit(commands.replay(dataset, sample_id, output, input_, as_json))


@app.command(epilog="Examples: fanbeam audit out/birds; fanbeam audit train/ validation/ --json")
def audit(
    train: Annotated[str, typer.Argument(metavar="TRAIN", help="A dataset of fanbeam; or file, glob or folder.")],
    validation: Annotated[
        str | None, typer.Argument(metavar="[VALIDATION]", help="File, glob or folder, if TRAIN is no dataset.")
    ] = None,
    field: Annotated[str | None, typer.Option(metavar="COLUMN", help="What to compare; default: as init does.")] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Ids that no two rows may share.")] = None,
    group: Annotated[str | None, typer.Option(metavar="COLUMN", help="Groups that no two sets may share.")] = None,
    near: Annotated[
        bool, typer.Option(help="Look for near duplicates: resized, cropped, re-encoded, reworded.")
    ] = True,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Distance of near duplicates; default: each kind's own.")
    ] = None,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Mirror images are near duplicates, too.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find what training and held-out data share.

    Compares ids, sources, groups, contents and near duplicates. Exit code 1: something leaks.
    """
    from pipeline.cli import commands

    flags = commands.AuditFlags((field, id_, group), near, threshold, mirrored)
    raise typer.Exit(commands.audit(train, validation, flags, as_json))


@app.command(epilog="Example: fanbeam transforms albumentations.Rotate")
def transforms(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="library.Class, or a part of a name.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List transforms, or the parameters of one."""
    from pipeline.cli import commands

    commands.transforms(name, as_json)


@app.command(epilog="Example: fanbeam resources --json")
def resources(as_json: Json = False, debug: Debug = False) -> None:
    """List data and models that transforms need.

    Shows what is available, and the commands that install the rest.
    """
    from pipeline.cli import commands

    commands.resources(as_json)


@app.command(epilog="Example: fanbeam schema > fanbeam.schema.json")
def schema(as_json: Json = False, debug: Debug = False) -> None:
    """Print the JSON Schema of the config."""
    from pipeline.cli import commands

    commands.schema()


@app.command(epilog="Example: fanbeam demo demo/")
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to put data, config and dataset.")] = Path(
        "demo"
    ),
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Augment a small dataset of real photos, from data to sheet."""
    from pipeline.cli import commands

    commands.demo(str(folder), as_json, debug)
