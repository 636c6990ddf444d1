import subprocess
import sys
import threading
from pathlib import Path

import pytest

from transforms.isolation.blocked_imports import left_out


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "slow_and_unneeded.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_and_unneeded", raising=False)
    return "slow_and_unneeded"


def test_it_is_left_out_in_this_thread_alone(package: str) -> None:
    elsewhere: list[str] = []

    def load() -> None:
        elsewhere.append(__import__(package).__name__)

    with left_out(package):
        with pytest.raises(ImportError):
            __import__(package)
        thread = threading.Thread(target=load)
        thread.start()
        thread.join()
    assert elsewhere == [package]
    with left_out(package):  # it is there now
        assert __import__(package)


def test_it_can_be_had_afterwards(package: str) -> None:
    with left_out(package), pytest.raises(ImportError):
        __import__(package)
    assert __import__(package)


def test_albumentations_loads_without_torch() -> None:
    program = (
        "import sys; from transforms.albumentations import adapter as a; assert a.names(); "
        "assert 'torch' not in sys.modules; from albumentations.pytorch import ToTensorV2; import torch"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
