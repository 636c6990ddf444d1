"""A store at whose address nobody answers: every command says so in seconds, wherever it needs the store."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_inputs import parquet, text_columns, values

from pipeline.cli.program import main
from pipeline.storage.stores.google_store import GoogleStore
from pipeline.storage.stores.object_store import ObjectStore


class _Patient:
    """A client that waits for a minute or more: nothing may be asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked of the client that waits")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "wrong",
        "AWS_REGION": "us-east-1", "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    connected, call = ObjectStore._connected, GoogleStore._call
    monkeypatch.setattr(
        ObjectStore, "_connected", lambda store, patient: _Patient() if patient else connected(store, patient)
    )

    def once(store: GoogleStore, key: str, asked: Any, attempts: int = 0) -> Any:
        assert attempts == 1, "asked several times"
        return call(store, key, asked, attempts)

    monkeypatch.setattr(GoogleStore, "_call", once)


def configs(home: Path) -> dict[str, str]:
    """Configs whose input, or whose output, lies in the store."""
    source = parquet(home / "in.parquet", text_columns(12))
    made = {
        "INPUT": values("s3://bucket-of-input/in.parquet", home / "out"),
        "OUTPUT": values(source, "s3://bucket-of-output/out"),
        "GOOGLE": values(source, "gs://bucket-of-output/out"),
    }
    for name, tree in made.items():
        (home / f"{name}.yaml").write_text(json.dumps(tree))
    return {name: str(home / f"{name}.yaml") for name in made}


COMMANDS = [
    "check INPUT", "plan INPUT", "run INPUT", "run OUTPUT", "run GOOGLE", "verify s3://bucket-of-verify/out",
    "replay s3://bucket-of-replay/out r0001/1", "init s3://bucket-of-init/data.parquet -o NEW",
    "audit s3://bucket-of-audit/a s3://bucket-of-audit/b", "preview INPUT -o SHEET",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_it_at_the_first_contact(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    places = {**configs(tmp_path), "NEW": str(tmp_path / "new.yaml"), "SHEET": str(tmp_path / "sheet.png")}
    code = main([places.get(word, word) for word in command.split()])
    said = "".join(capfd.readouterr())
    assert code in (2, 4), said
    assert "cannot be reached" in said or "did not answer" in said, said
    assert "Traceback" not in said
    assert "defect" not in said
