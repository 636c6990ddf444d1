"""The rules of the house that no linter knows: which room may import which, and how long things may grow."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    p.relative_to(ROOT).as_posix() for room in ("pipeline", "transforms") for p in (ROOT / room).rglob("*.py")
)
BEAM = {
    "pipeline/engines/beam/lazy_step.py",
    "pipeline/engines/beam/render_steps.py",
    "pipeline/engines/beam/audit_steps.py",
    "pipeline/engines/beam/survey_steps.py",
    "pipeline/engines/beam/graph.py",
    "pipeline/engines/options.py",
}
STORAGE = {
    "pipeline/storage/folder.py",
    "pipeline/storage/local_files.py",
    "pipeline/storage/scratch.py",
    "pipeline/storage/stores/fsspec_store.py",
}
DEVICES = {
    "pipeline/modalities/codecs/quiet.py",
    "pipeline/cli/app.py",
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
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


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


@of_each(MODULES)
def test_beam_only_wires(module: str) -> None:
    assert module in BEAM or not names_of(module, "apache_beam")


@of_each([m for m in MODULES if m.startswith("transforms/")])
def test_transforms_know_nothing_of_the_pipeline(module: str) -> None:
    for room in ("pipeline", "fsspec", "apache_beam", "typer", "pyarrow"):
        assert not names_of(module, room), room


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
    light = {"cli", "commands", "errors", "config", "records", "split", "seeds", "fan_out", "gate", "catalogue"}
    heavy = ("albumentations", "audiomentations", "nlpaug", "cv2", "soundfile", "pandas", "datasets", "rich", "torch")
    for module in (m for m in MODULES if Path(m).stem in light):
        for library in heavy:
            assert not names_of(module, library, early=True), (module, library)


def test_every_module_of_the_spine_has_its_tests() -> None:
    tests = {p.stem for p in (ROOT / "tests").rglob("test_*.py")}
    spine = {Path(m).stem for m in MODULES if m.count("/") == 1 and m.startswith("pipeline/")}
    mine = {
        "seeds", "split", "fan_out", "config", "config_file", "check", "errors", "storage", "keys", "survey",
        "planning", "probe", "read", "augment", "gate", "rows", "schema", "parquet_file", "shards", "commit",
        "fingerprint", "dataset", "card", "catalogue", "dictionaries", "block_table", "cutting", "tally", "assignment",
    }  # fmt: skip
    assert mine <= spine
    assert {f"test_{name}" for name in mine} <= tests


@of_each(sorted(LIBRARY_RANDOM))
def test_no_library_draws_without_a_seed(module: str) -> None:
    drawn = [n for n in ast.walk(tree(module)) if isinstance(n, ast.Call) and ast.unparse(n.func) == "random.Random"]
    assert all(n.args for n in drawn)
    assert not calls(module, "random.random", "random.choice", "random.shuffle", "hash", "os.urandom", "time.time")
