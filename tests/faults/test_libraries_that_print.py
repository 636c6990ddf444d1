"""Whatever libraries print, and whenever: the answer of a command is the last line, also where both streams are one."""

import json
import subprocess
from pathlib import Path

import workdata
from conftest import Trouble
from trouble_library import text_rows

PRINTED = "the library prints while it is imported"


def test_the_answer_is_all_there_is(trouble: Trouble, tmp_path: Path) -> None:
    config = trouble.config(tmp_path, text_rows(6))
    for there in (False, True):
        command = workdata.command("run", config, "--json")
        both = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            cwd=workdata.ROOT, env=workdata.environment(PYTHONPATH=trouble.path),
        )  # fmt: skip
        *chatter, answer = both.stdout.splitlines()
        told = json.loads(answer)
        assert (told["already_there"], told["attempts"], told["exit_code"]) == (there, 0 if there else 1, 0)
        assert chatter == [PRINTED]  # by the command itself, before it answers; not by what loads libraries beside it
    done = workdata.run("run", config, "--json", "--debug", PYTHONPATH=trouble.path)
    assert json.loads(done.stdout)["already_there"]
    assert done.stderr.count(PRINTED) == 2
