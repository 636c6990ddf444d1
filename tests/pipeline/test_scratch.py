import errno
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import RunFailed
from pipeline.scratch import mapped_table, scratch_folder, write_table

TABLE = pa.table({"a": [1, 2, 3]})


def test_a_table_comes_back_and_the_folder_goes() -> None:
    with scratch_folder() as folder:
        write_table(f"{folder}/t.arrow", TABLE)
        assert mapped_table(f"{folder}/t.arrow").equals(TABLE)
    assert not Path(folder).exists()


def test_no_room_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(RunFailed, match=r"No space left on device.*TMPDIR"):
        write_table(str(tmp_path / "t.arrow"), TABLE)
