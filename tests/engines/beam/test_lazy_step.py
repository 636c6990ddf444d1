"""The first step of a graph loads in a process without fanbeam, and says there what is missing."""

import subprocess
import sys
from pathlib import Path

from apache_beam.internal import pickler
from twice import Twice

from pipeline.engines.beam.lazy_step import Arrival

LOADS = """
import sys
sys.modules.update(dict.fromkeys(("pipeline", "tests"), None))
from apache_beam.internal import pickler
step = pickler.loads(open(sys.argv[1], "rb").read())
step.setup()
print("loaded")
list(step.process(3))
"""


def test_it_does_what_the_step_does() -> None:
    step = pickler.loads(pickler.dumps(Arrival(Twice(10))))
    step.setup()
    assert [*step.process(3), *step.process(4)] == [30, 30, 40, 40]


def test_where_nothing_is_installed_it_loads_and_tells_when_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "step").write_bytes(pickler.dumps(Arrival(Twice(10))))
    done = subprocess.run([sys.executable, "-c", LOADS, tmp_path / "step"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.strip() == "loaded"
    assert "ModuleNotFoundError" in done.stderr
