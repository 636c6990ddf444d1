from types import SimpleNamespace
from typing import Any

from small_inputs import config_of

from pipeline.records import InputFile, Unit
from pipeline.splitting.duplicates.listed_digests import LISTED, listed_contents

ONE, OTHER = "0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"


def job(local: bool = False, **changes: Any) -> Any:
    return SimpleNamespace(
        reader=SimpleNamespace(root=SimpleNamespace(local=local)), config=config_of("a", "b", **changes)
    )


def folder(*files: tuple[str, int, str]) -> Unit:
    members = tuple(InputFile(*file) for file in files)
    return Unit("", len(members), 0, members=members)


def found(*units: Unit) -> list[int]:
    return [int(number) for number in listed_contents(job(), units)[LISTED]]


def test_a_content_is_known_by_its_etag_and_size_whatever_its_file_is_called() -> None:
    first = found(folder(("a", 5, f"etag:{ONE}"), ("b", 5, f"etag:{OTHER}")))
    later = found(folder(("z", 5, f"etag:{OTHER}")), folder(("y", 5, f"etag:{ONE}"), ("x", 6, f"etag:{ONE}")))
    assert later[:2] == first[::-1]
    assert len({*later}) == 3
    assert 0 not in later


def test_objects_that_were_sent_in_parts() -> None:
    one, other, whole = found(folder(("a", 5, f"etag:{ONE}-3"), ("b", 5, f"etag:{ONE}-3"), ("c", 5, f"etag:{ONE}")))
    assert one == other != whole


def test_tags_that_name_a_write_say_nothing() -> None:
    assert found(folder(("a", 5, f"etag:{ONE}"), ("b", 5, "etag:0x8DC5B3"), ("c", 0, f"etag:{ONE}")))[1:] == [0, 0]
    assert listed_contents(job(), [folder(("a", 5, "etag:CPDnuO/4"), ("b", 5, f"etag:{ONE}"))]) == {}
    assert listed_contents(job(), [Unit("t.parquet", 4, 9)]) == {}


def test_where_contents_are_read_or_not_compared() -> None:
    unit = folder(("a", 5, f"etag:{ONE}"))
    assert listed_contents(job(local=True), [unit]) == {}
    assert listed_contents(job(split={"validation": 0.1, "keep_together": {"exact": False}}), [unit]) == {}
