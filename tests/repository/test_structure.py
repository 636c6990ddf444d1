"""The rules of the house that no linter knows: which room may import which, and how long things may grow."""

import ast
import graphlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    p.relative_to(ROOT).as_posix() for room in ("pipeline", "transforms") for p in (ROOT / room).rglob("*.py")
)
BEAM = "pipeline/engines/beam/"
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "escaping": set(),
    "processes": set(),
    "records": set(),
    "storage": {"errors", "escaping", "processes"},
    "config": {"errors", "records", "storage"},
    "modalities": {"config", "records"},
    "sources": {"config", "errors", "escaping", "modalities", "records", "storage"},
    "planning": {"config", "errors", "escaping", "modalities", "records", "sources", "storage"},
    "splitting": {"config", "errors", "modalities", "planning", "records", "sources", "storage"},
    "audit": {"config", "errors", "escaping", "modalities", "records", "sources", "storage"},
    "preview": {"audit", "config", "errors", "escaping", "modalities", "planning", "records", "sources"},
    "dataset": {
        "audit", "config", "errors", "escaping", "modalities", "planning", "preview", "records", "sources", "splitting",
        "storage",
    },
    "rendering": {
        "audit", "config", "dataset", "errors", "modalities", "planning", "records", "sources", "splitting", "storage",
    },
    "engines": {
        "audit", "config", "dataset", "errors", "modalities", "planning", "processes", "records", "rendering",
        "sources", "splitting", "storage",
    },
    "driver": {
        "audit", "config", "dataset", "engines", "errors", "escaping", "modalities", "planning", "preview", "records",
        "rendering", "sources", "splitting", "storage",
    },
    "cli": {
        "audit", "config", "dataset", "driver", "engines", "errors", "escaping", "modalities", "planning", "preview",
        "processes", "records", "rendering", "sources", "storage",
    },
}  # fmt: skip
"""Package (or module) of `pipeline` -> those it may import; each may import `transforms`. From the lowest floor up."""
LOWER: tuple[tuple[str, str], ...] = (
    ("storage/stores", "storage/folder"), ("sources/inspection", "planning"), ("planning", "planning/checks"),
    ("sources", "sources/inspection"), ("modalities/codecs", "modalities/labels"),
    ("modalities/codecs", "modalities/similarity"), ("engines", "engines/beam"), ("cli/init", "cli"),
)  # fmt: skip
"""Pairs of packages of which the first must not import the second."""
STORAGE = {
    "pipeline/storage/folder.py",
    "pipeline/storage/local_files.py",
    "pipeline/storage/scratch.py",
    "pipeline/storage/stores/fsspec_store.py",
}
DEVICES = {
    "pipeline/modalities/codecs/quiet.py",
    "pipeline/cli/program.py",
    "pipeline/engines/local/fork_server.py",
    "pipeline/engines/local/worker.py",
}  # the null device
# What makes progress, kills what hangs, names a log or a temporary file: clocks that decide no byte of a dataset.
CLOCKS = {
    "pipeline/cli/commands.py",
    "pipeline/cli/demo.py",
    "pipeline/cli/progress.py",
    "pipeline/cli/report.py",
    "pipeline/dataset/run_log.py",
    "pipeline/driver/api.py",
    "pipeline/driver/payload_survey.py",
    "pipeline/driver/run.py",
    "pipeline/driver/submission.py",
    "pipeline/engines/adapters/flink_rest.py",
    "pipeline/engines/adapters/spark_rest.py",
    "pipeline/engines/local/pool.py",
    "pipeline/engines/local/worker.py",
    "pipeline/processes/signals.py",
    "pipeline/processes/work_clock.py",
    "pipeline/storage/local_files.py",
    "pipeline/storage/lock.py",
    "pipeline/storage/stores/credentials.py",
    "pipeline/storage/stores/fsspec_store.py",
    "pipeline/storage/stores/retries.py",
}
# Where a library's draws from Python's and numpy's globals are seeded and put back, and where a library takes a
# `random.Random` that is made of the step's seed.
LIBRARY_RANDOM = {"transforms/isolation/global_random.py", "transforms/isolation/philox.py"}
LONGEST_MODULE, LONGEST_FUNCTION, MOST_MODULES = 300, 40, 20


def of_each(modules: Iterable[str]) -> Callable[[Callable[[str], None]], Callable[[], None]]:
    """One test that tells every module which breaks a rule."""

    def decorated(rule: Callable[[str], None]) -> Callable[[], None]:
        def test() -> None:
            broken = []
            for module in modules:
                try:
                    rule(module)
                except AssertionError as error:
                    broken.append(f"{module}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__ = rule.__name__
        return test

    return decorated


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def imports(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Every imported name, and whether it is imported with the module rather than by a function."""
    for child in ast.iter_child_nodes(node):
        now = not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.Import):
            yield from ((alias.name, True) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((f"{child.module}.{alias.name}", True) for alias in child.names)
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from ((name, now and early) for name, early in imports(child))


def names_of(module: str, library: str, early: bool = False) -> list[str]:
    return [n for n, e in imports(tree(module)) if n.split(".")[0] == library and (e or not early)]


def calls(module: str, *names: str) -> list[str]:
    found = [ast.unparse(n.func) for n in ast.walk(tree(module)) if isinstance(n, ast.Call)]
    return [name for name in found if name in names]


def test_all_modules_were_found() -> None:
    assert {"pipeline/cli/app.py", "pipeline/sources/tables/reader.py", "transforms/recipe.py"} <= set(MODULES)


@of_each([m for m in MODULES if not m.startswith(BEAM)])
def test_beam_only_wires(module: str) -> None:
    assert not names_of(module, "apache_beam")


def packages_of(module: str) -> Iterator[str]:
    """Modules of `pipeline` that a module imports, as paths within it."""
    for name, _ in imports(tree(module)):
        if name.startswith("pipeline."):
            yield name.removeprefix("pipeline.").replace(".", "/")


@of_each([m for m in MODULES if m.startswith("pipeline/") and m != "pipeline/__init__.py"])
def test_imports_lead_down(module: str) -> None:
    own = module.split("/")[1].removesuffix(".py")
    wrong = {name for name in packages_of(module) if name.split("/")[0] not in MAY_IMPORT[own] | {own}}
    assert not wrong, sorted(wrong)


def test_the_table_has_no_circle_and_few_floors() -> None:
    floors: dict[str, int] = {}
    for name, below in MAY_IMPORT.items():
        assert below <= floors.keys(), f"{name} may import {sorted(below - floors.keys())}, which stand above it"
        floors[name] = 1 + max((floors[other] for other in below), default=0)
    assert max(floors.values()) <= 13
    assert {p.stem for p in (ROOT / "pipeline").iterdir() if p.suffix in ("", ".py")} - {"__init__", "__pycache__"} == {
        *floors
    }


def within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


@of_each([m.removeprefix("pipeline/") for m in MODULES if m.startswith("pipeline/")])
def test_packages_within_a_package_have_an_order(module: str) -> None:
    for lower, higher in LOWER:
        if within(module, lower) and (within(lower, higher) or not within(module, higher)):
            nested = within(lower, higher)
            above = [
                n for n in packages_of(f"pipeline/{module}") if within(n, higher) and not (nested and within(n, lower))
            ]
            assert not above, (lower, sorted(above))


@of_each([m for m in MODULES if m.startswith("pipeline/") and m.count("/") == 1])
def test_the_top_level_does_not_grow(module: str) -> None:
    assert module in ("pipeline/__init__.py", "pipeline/errors.py", "pipeline/records.py")


def test_folders_are_read_at_a_glance() -> None:
    counts = Counter(str(Path(module).parent) for module in MODULES)
    assert not {folder: count for folder, count in counts.items() if count > MOST_MODULES}


def test_no_circle_of_modules() -> None:
    """Neither of what is imported with a module nor of what its functions import."""
    known = {m.removesuffix(".py").removesuffix("/__init__").replace("/", "."): m for m in MODULES}

    def needs(module: str) -> set[str]:
        whole = ((name, name.rpartition(".")[0]) for name, _ in imports(tree(module)))
        return {known[next(p for p in places if p in known)] for places in whole if {*places} & known.keys()} - {module}

    sorted_out = graphlib.TopologicalSorter({module: needs(module) for module in MODULES})
    sorted_out.prepare()  # raises CycleError, which names them


@of_each([m for m in MODULES if m.startswith("transforms/")])
def test_transforms_know_nothing_of_the_pipeline(module: str) -> None:
    for room in ("pipeline", "fsspec", "apache_beam", "typer", "pyarrow"):
        assert not names_of(module, room), room


@of_each(MODULES)
def test_adapters_are_not_taken_for_their_libraries(module: str) -> None:
    """`transforms.albumentations` is ours: its modules are imported, so that no line reads as if it were theirs."""
    packages = {p.name for p in (ROOT / "transforms").iterdir() if p.is_dir()}
    assert not [n for n, _ in imports(tree(module)) if n.startswith("transforms.") and n.split(".", 1)[1] in packages]


@pytest.mark.parametrize(
    "library", ["albumentations", "audiomentations", "nlpaug", "torchvision", "keras", "tensorflow"]
)
def test_libraries_are_not_hidden_by_our_packages(library: str) -> None:
    spec = find_spec(library)
    assert spec is not None and spec.origin is not None
    assert "site-packages" in Path(spec.origin).parts


@of_each([m for m in MODULES if m.startswith("pipeline/")])
def test_imports_name_the_room(module: str) -> None:
    relative = [n for n in ast.walk(tree(module)) if isinstance(n, ast.ImportFrom) and n.level]
    assert not relative


@of_each([m for m in MODULES if m not in CLOCKS | LIBRARY_RANDOM])
def test_what_decides_bytes_draws_nothing_and_knows_no_time(module: str) -> None:
    for library in ("random", "uuid", "secrets", "time", "datetime"):
        assert not names_of(module, library), library
    assert not calls(module, "hash", "id", "os.urandom", "np.random.seed", "np.random.rand", "np.random.default_rng")


@of_each(sorted(CLOCKS))
def test_what_knows_the_time_draws_nothing(module: str) -> None:
    for library in ("random", "uuid", "secrets"):
        assert not names_of(module, library), library
    assert not calls(module, "hash", "os.urandom")


@of_each(MODULES)
def test_pillow_opens_only_formats_that_are_named(module: str) -> None:
    """`Image.open` asks every plugin there is, and one of them starts Ghostscript: see codecs/pillow_formats.py."""
    assert "PIL.Image.open" not in names_of(module, "PIL")
    assert not calls(module, "Image.open", "PIL.Image.open")


@of_each([m for m in MODULES if m.startswith("pipeline/") and m not in STORAGE | DEVICES])
def test_only_storage_opens_files(module: str) -> None:
    for library in ("shutil", "tempfile", "glob"):
        assert not names_of(module, library), library
    assert not calls(
        module, "open", "io.open", "os.open", "os.listdir", "os.scandir", "fsspec.open", "fsspec.filesystem"
    )
    assert not [n for n, _ in imports(tree(module)) if n in ("fsspec", "fsspec.open")]


@of_each([m for m in MODULES if m not in STORAGE])
def test_asserts_and_prints_stay_out(module: str) -> None:
    assert not [n for n in ast.walk(tree(module)) if isinstance(n, ast.Assert)]
    assert not calls(module, "print", "breakpoint", "eval", "exec", "pickle.loads", "yaml.unsafe_load")


@of_each(MODULES)
def test_modules_and_functions_are_short(module: str) -> None:
    lines = len((ROOT / module).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{module} has {lines} lines"
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{module}:{node.lineno} {node.name} has {length} lines"


@of_each(MODULES)
def test_names_say_what_is_inside(module: str) -> None:
    assert Path(module).stem not in ("utils", "helpers", "util", "helper", "common", "misc", "manager", "base")


@of_each(MODULES)
def test_every_module_opens_with_a_docstring(module: str) -> None:
    assert ast.get_docstring(tree(module)) or not tree(module).body


def test_heavy_libraries_are_imported_late() -> None:
    """`fanbeam --help` answers at once; `check` of a table does not load what only pictures need."""
    light = ("cli/app", "cli/commands", "cli/catalog", "errors", "records", "planning/seeds", "planning/hash_split")
    rooms = [m for m in MODULES if m.startswith("pipeline/config/")]
    heavy = ("albumentations", "audiomentations", "nlpaug", "cv2", "soundfile", "pandas", "datasets", "rich", "torch")
    for module in (*rooms, *(f"pipeline/{name}.py" for name in light), "pipeline/rendering/gate.py"):
        for library in heavy:
            assert not names_of(module, library, early=True), (module, library)


def test_tests_stand_where_their_modules_do() -> None:
    """`tests/a/test_b.py`, or `test_a_b.py` where the name occurs twice, is of `pipeline/a/b.py`."""
    folders = {Path(m).parent.as_posix() for m in MODULES}
    rooms = [room for room in (*MAY_IMPORT, "transforms") if room != "engines"]
    mirrored = [test for room in rooms for test in (ROOT / "tests" / room).rglob("test_*.py")]
    assert len(mirrored) > 100
    for test in mirrored:
        folder = test.parent.relative_to(ROOT / "tests").as_posix()
        assert {folder, f"pipeline/{folder}"} & folders, test


def test_modules_that_decide_bytes_have_a_test_of_their_name() -> None:
    mine = (
        "planning/seeds", "planning/hash_split", "planning/keys", "planning/survey", "planning/plan", "planning/probe",
        "planning/shards", "planning/blocks", "planning/fingerprint", "config/loader", "storage/folder",
        "rendering/fan_out", "rendering/read", "rendering/augment", "rendering/gate", "dataset/rows", "dataset/schema",
        "dataset/parquet_writer", "dataset/shard_writer", "dataset/commit", "dataset/reader", "dataset/card",
        "dataset/dictionary_columns", "dataset/totals", "engines/work_files", "cli/catalog", "planning/checks/check",
    )  # fmt: skip
    for name in mine:
        package, _, module = name.rpartition("/")
        assert (ROOT / "pipeline" / f"{name}.py").exists(), name
        tests = ROOT / "tests" / package
        names = (f"test_{module}.py", f"test_{Path(package).name}_{module}.py")
        assert any((tests / found).exists() for found in names), name


@of_each(sorted(LIBRARY_RANDOM))
def test_no_library_draws_without_a_seed(module: str) -> None:
    drawn = [n for n in ast.walk(tree(module)) if isinstance(n, ast.Call) and ast.unparse(n.func) == "random.Random"]
    assert all(n.args for n in drawn)
    assert not calls(module, "random.random", "random.choice", "random.shuffle", "hash", "os.urandom", "time.time")
