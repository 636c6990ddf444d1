"""Every command on every layout of an input, on servers of the three kinds of stores."""

from pathlib import Path
from typing import Any

import pytest
from layouts import LAYOUTS, every_command
from records_in_stores import calling
from servers import Server

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
ELSEWHERE = ("sub folders without ids", "a list of folders without ids", "csv of links")


@pytest.mark.parametrize(
    ("store", "name"),
    [("s3", name) for name in LAYOUTS] + [(kind, name) for kind in ("gcs", "azure") for name in ELSEWHERE],
    indirect=["store"],
)
def test_every_command_works_on_every_layout(
    store: Server, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.enter(monkeypatch)
    call = calling(store.environment)

    def ask(*arguments: object) -> tuple[int, dict[str, Any]]:
        return 0, call(*arguments)  # which asserts that it ended well

    every_command(LAYOUTS[name], f"{store.bucket}/{name.replace(' ', '-')}", tmp_path, ask)
