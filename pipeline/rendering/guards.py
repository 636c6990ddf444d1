"""Calls of libraries that work on one record: what they raise is the record's failure, never the job's."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.errors import RunFailed
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.memory import machine_at_fault
from pipeline.records import Refusal
from transforms.interface import LabelLost

T = TypeVar("T")
_MESSAGE_CHARACTERS = 500
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
_TEMPORARY_PATH = re.compile(r"(/tmp|/var/folders|/dev/shm)/[^\s'\":]*")


def guarded(field: str, stage: str, call: Callable[..., T], *args: Any) -> T | Refusal:
    """The result of a call that works on one record's data, or why it failed."""
    try:
        return call(*args)
    except RunFailed:  # the input changed: nothing of this record's
        raise
    except LabelLost as error:
        return Refusal("rejected", field, stage, error.reason, type(error).__name__, clean_message(error))
    except Exception as error:  # noqa: BLE001  (libraries raise anything; one record must never take the job with it)
        reason = "bad_labels" if stage == "bind" else f"{stage}_error"
        reason = error.reason if isinstance(error, CodecError) else reason
        reason = "out_of_memory" if machine_at_fault(error) else reason
        return Refusal("failed", field, stage, reason, type(error).__name__, clean_message(error))


def clean_message(error: Any) -> str:
    """An error's text without memory addresses and temporary paths, so that the files that keep it are reproducible."""
    words = " ".join((str(error), *getattr(error, "__notes__", ()))).encode(errors="backslashreplace").decode()
    text = _TEMPORARY_PATH.sub("<temporary path>", _ADDRESS.sub("<address>", words)).strip()
    return text if len(text) <= _MESSAGE_CHARACTERS else f"{text[:_MESSAGE_CHARACTERS]}…"
