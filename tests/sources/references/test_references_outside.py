"""What a table or a folder that comes from elsewhere may read: what lies below it, and what the config names."""

import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from local_web import sent, web
from small_inputs import config_of, jpeg, opened, parquet, put, ran, values

from pipeline.config.loader import ConfigText, validate
from pipeline.errors import FanbeamError, InputError
from pipeline.planning.checks.check import checked
from pipeline.storage.folder import Folder


def table(path: Path, references: list[Any], **more: Any) -> Path:
    ids = [f"r{n}" for n in range(len(references))]
    data = {"id": ids, "label": ["x"] * len(ids), "image": pa.array(references, pa.string()), **more}
    return parquet(path, data)


def config(path: Path | str, home: Path, allow: Any = True, **changes: Any) -> Any:
    field = {"type": "image", "uri": allow if isinstance(allow, bool) else {"allow": allow}}
    given = {"fields": {"image": field}, "split": {}, "limits__failed": 1, "copies": 0, **changes}
    return config_of(path, home / "out", **given)


def reasons(made: Any) -> dict[str, str]:
    return {row["source_id"]: row["reason"] for row in made.dropped()}


def kept(made: Any) -> list[str]:
    return [str(name).removesuffix("/0") for name in made.table().column("sample_id").to_pylist()]


def test_what_lies_outside_of_the_table_is_not_read(tmp_path: Path) -> None:
    """Pictures, so that the reason is the place and not the content."""
    inside, outside = tmp_path / "in", tmp_path / "out_of_it"
    put(inside / "deep" / "a.jpg", jpeg(1))
    put(outside / "secret.jpg", jpeg(2))
    put(tmp_path / "in2" / "near.jpg", jpeg(2))
    (inside / "link.jpg").symlink_to(outside / "secret.jpg")
    (inside / "linked").symlink_to(outside)
    (inside / "own.jpg").symlink_to(inside / "deep" / "a.jpg")
    (inside / "round").symlink_to(inside / "deep" / "..")
    MemoryFileSystem.store.clear()
    Folder("memory://bucket").put("c.jpg", jpeg(3))
    refused = [
        "../out_of_it/secret.jpg", str(outside / "secret.jpg"), f"file://{outside}/secret.jpg", "link.jpg",
        "linked/secret.jpg", "deep/../../out_of_it/secret.jpg", "../in2/near.jpg", "memory://bucket/c.jpg",
        f"local://{inside}/deep/a.jpg", f"simplecache::file://{outside}/secret.jpg", "simplecache::memory://bucket/c.jpg",
        "sftp://host/a.jpg", "smb://host/a.jpg", "s3://bucket/a.jpg", "FILE:///etc/passwd", "/proc/self/environ",
        "/dev/zero", "linked/../secret.jpg",
    ]  # fmt: skip
    allowed = ["deep/a.jpg", "own.jpg", str(inside / "deep" / "a.jpg"), f"file://{inside}/own.jpg", "round/deep/a.jpg"]
    made = ran(config(table(inside / "t.parquet", [*allowed, *refused]), tmp_path))
    assert kept(made) == [f"r{n}" for n in range(len(allowed))]
    found = reasons(made)
    assert {refused[int(key[1:]) - len(allowed)]: reason for key, reason in found.items()} == {
        **dict.fromkeys(refused, "outside_allowed"), "linked/../secret.jpg": "missing_file",
    }  # fmt: skip
    assert all(str(inside) not in row["message"] for row in made.dropped() if "://" not in row["message"])


def test_the_config_names_other_places(tmp_path: Path) -> None:
    inside, store, beside = tmp_path / "in", tmp_path / "store", tmp_path / "store2"
    put(store / "deep" / "a.jpg", jpeg(1))
    put(beside / "b.jpg", jpeg(2))
    (tmp_path / "via").symlink_to(store)
    MemoryFileSystem.store.clear()
    Folder("memory://bucket").put("a/b/c.jpg", jpeg(3))
    Folder("memory://bucket").put("ab/c.jpg", jpeg(3))
    references = [
        "../store/deep/a.jpg", "../via/deep/a.jpg", "../store2/b.jpg", "memory://bucket/a/b/c.jpg",
        "memory://bucket/ab/c.jpg", "memory://bucket/a/../ab/c.jpg", "memory://other/a/b/c.jpg",
    ]  # fmt: skip
    made = ran(config(table(inside / "t.parquet", references), tmp_path, [str(tmp_path / "via"), "memory://bucket/a/"]))
    assert kept(made) == ["r0", "r1", "r3"]
    assert reasons(made) == dict.fromkeys(["r2", "r4", "r5", "r6"], "outside_allowed")


def test_a_table_in_a_bucket_names_its_own_bucket(tmp_path: Path) -> None:
    MemoryFileSystem.store.clear()
    bucket = Folder("memory://bucket")
    bucket.put("images/a.jpg", jpeg(1))
    Folder("memory://other").put("a.jpg", jpeg(1))
    local = put(tmp_path / "a.jpg", jpeg(1))
    references = [
        "../images/a.jpg",
        "memory://bucket/images/a.jpg",
        "memory://other/a.jpg",
        "../../other/a.jpg",
        str(local),
    ]
    bucket.put("meta/t.parquet", table(tmp_path / "t.parquet", references).read_bytes())
    made = ran(config("memory://bucket/meta/t.parquet", tmp_path))
    assert kept(made) == ["r0", "r1"]
    assert reasons(made) == dict.fromkeys(["r2", "r3", "r4"], "outside_allowed")


@pytest.mark.parametrize("prefix", ["/proc", "/proc/self", "/sys/kernel", "/dev", "https://", "s3://", "a::s3://b/c"])
def test_what_can_not_be_allowed(prefix: str, tmp_path: Path) -> None:
    fields = {"image": {"type": "image", "uri": {"allow": [prefix]}}}
    _, problems = validate(ConfigText("job.yaml", values("in.parquet", tmp_path / "out", fields=fields)))
    assert len(problems) == 1, problems
    assert "fields.image.uri.allow" in str(problems[0])


def test_processes_are_never_read_though_everything_is_allowed(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    (tmp_path / "in" / "environ.jpg").symlink_to("/proc/self/environ")
    references = ["/proc/self/environ", "/proc/thread-self/cmdline", "/dev/stdin", "environ.jpg", "a.jpg"]
    made = ran(config(table(tmp_path / "in" / "t.parquet", references), tmp_path, ["/"]))
    assert kept(made) == ["r4"]
    assert reasons(made) == dict.fromkeys(["r0", "r1", "r2", "r3"], "outside_allowed")


def folder_config(path: Any, home: Path, **changes: Any) -> Any:
    given = {"input__id": ..., "input__label": ..., "fields": {"image": {"type": "image"}}, "split": {}, "copies": 0}
    return config_of(path, home / "out", **{**given, "limits__failed": 1, **changes})


def test_links_of_a_folder_that_lead_out_of_it(tmp_path: Path) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    put(data / "cat" / "a.jpg", jpeg(1))
    put(outside / "b.jpg", jpeg(2))
    (data / "cat" / "b.jpg").symlink_to(outside / "b.jpg")
    (data / "cat" / "c.jpg").symlink_to(data / "cat" / "a.jpg")
    (data / "dog").symlink_to(outside)
    made = ran(folder_config(data, tmp_path))
    assert kept(made) == ["cat/a.jpg", "cat/c.jpg"]
    assert reasons(made) == {"cat/b.jpg": "outside_allowed"}
    assert any("'dog'" in note and "input.allow" in note for note in made.listing.notes), made.listing.notes
    asked = ran(folder_config(data, tmp_path, input__allow=[str(outside)]))
    assert kept(asked) == ["cat/a.jpg", "cat/b.jpg", "cat/c.jpg", "dog/b.jpg"]
    assert reasons(asked) == {}
    assert asked.listing.notes == ()


def test_a_folder_that_is_a_link_itself_is_what_the_config_names(tmp_path: Path) -> None:
    put(tmp_path / "there" / "cat" / "a.jpg", jpeg(1))
    (tmp_path / "data").symlink_to(tmp_path / "there")
    assert kept(ran(folder_config(tmp_path / "data", tmp_path))) == ["cat/a.jpg"]
    assert kept(ran(folder_config(str(tmp_path / "data" / "*" / "*.jpg"), tmp_path))) == ["cat/a.jpg"]


def test_several_folders_do_not_allow_what_lies_between_them(tmp_path: Path) -> None:
    put(tmp_path / "a" / "x.jpg", jpeg(1))
    put(tmp_path / "b" / "y.jpg", jpeg(2))
    put(tmp_path / "c" / "z.jpg", jpeg(3))
    (tmp_path / "a" / "to_b.jpg").symlink_to(tmp_path / "b" / "y.jpg")
    (tmp_path / "a" / "to_c.jpg").symlink_to(tmp_path / "c" / "z.jpg")
    made = ran(folder_config([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path))
    assert reasons(made) == {"to_c.jpg": "outside_allowed"}
    assert kept(made) == ["b/y.jpg", "to_b.jpg", "x.jpg"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_tables_that_are_links_out_of_their_folder_are_refused(kind: str, tmp_path: Path) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    rows = {"id": ["a"], "label": ["x"], "text": ["some words"]}
    for place in (data / "a", outside / "b"):
        if kind == "parquet":
            parquet(place.with_suffix(".parquet"), {**rows, "id": [place.name]})
        else:
            put(place.with_suffix(".csv"), f"id,label,text\n{place.name},x,some words\n")
    (data / f"b.{kind}").symlink_to(outside / f"b.{kind}")
    with pytest.raises(InputError) as caught:
        opened(config_of(data, tmp_path / "out"))
    (problem,) = caught.value.problems
    assert problem.where == f"b.{kind}"
    assert "leads out of" in problem.message
    assert "input.allow" in problem.suggestion
    _, listing = opened(config_of(data, tmp_path / "out", input__allow=[str(outside)]))
    assert sum(unit.rows for unit in listing.units) == 2
    _, listing = opened(config_of(data / f"b.{kind}", tmp_path / "out"))
    assert sum(unit.rows for unit in listing.units) == 1


# -- addresses of the web


def test_the_web_is_asked_only_where_the_config_names_it(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    with web(lambda handler: sent(handler, jpeg(4))) as (url, asked):
        port = url.rpartition(":")[2]
        references = ["a.jpg", f"{url}/open/a.jpg", f"{url}/closed/a.jpg", f"{url}/open/../closed/a.jpg",
                      f"{url}/open/%2e%2e/closed/a.jpg", f"http://localhost:{port}/open/a.jpg",
                      f"http://127.0.0.1:{port}@localhost:{port}/open/a.jpg"]  # fmt: skip
        source = table(tmp_path / "in" / "t.parquet", references)
        made = ran(config(source, tmp_path))
        assert (kept(made), asked) == (["r0"], [])
        made = ran(config(source, tmp_path, [f"{url}/open"]))
        assert kept(made) == ["r0", "r1"]
        assert reasons(made) == dict.fromkeys(["r2", "r3", "r4", "r5", "r6"], "outside_allowed")
        assert set(asked) == {"/open/a.jpg"}


def test_redirections_stay_on_the_host_or_where_the_config_allows(tmp_path: Path) -> None:
    with web(lambda handler: sent(handler, jpeg(5))) as (elsewhere, asked_elsewhere):

        def answer(handler: BaseHTTPRequestHandler) -> None:
            places = {
                "/own": "/real.jpg",
                "/other": f"{elsewhere}/inner.jpg",
                "/round": "/round",
                "/file": "file:///etc/passwd",
            }
            if handler.path in places:
                sent(handler, b"", 302, Location=places[handler.path])
            else:
                sent(handler, jpeg(4))

        with web(answer) as (url, _):
            references = [f"{url}/{name}" for name in ("own", "other", "round", "file")]
            source = table(tmp_path / "in" / "t.parquet", references)
            made = ran(config(source, tmp_path, [url]))
            assert kept(made) == ["r0"]
            assert reasons(made) == {"r1": "outside_allowed", "r2": "unreadable_file", "r3": "outside_allowed"}
            assert asked_elsewhere == []
            made = ran(config(source, tmp_path, [url, elsewhere]))
            assert kept(made) == ["r0", "r1"]


def test_files_above_max_bytes_are_not_read(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    put(tmp_path / "in" / "b.jpg", jpeg(1) + bytes(10_000))
    with (tmp_path / "in" / "sparse.jpg").open("wb") as sparse:
        sparse.truncate(2**40)
    MemoryFileSystem.store.clear()
    Folder("memory://bucket").put("c.jpg", jpeg(1) + bytes(10_000))

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/honest":
            sent(handler, bytes(20_000))
            return
        handler.send_response(200)
        handler.end_headers()
        if handler.command != "HEAD":
            try:
                while True:  # it never ends
                    handler.wfile.write(bytes(1 << 16))
            except OSError:
                pass

    with web(answer) as (url, _):
        references = ["a.jpg", "b.jpg", "sparse.jpg", "memory://bucket/c.jpg", f"{url}/honest", f"{url}/endless"]
        field = {"type": "image", "uri": {"allow": ["memory://bucket", url]}, "max_bytes": "8KiB"}
        made = ran(config(table(tmp_path / "in" / "t.parquet", references), tmp_path, fields={"image": field}))
    assert kept(made) == ["r0"]
    assert reasons(made) == dict.fromkeys(["r1", "r2", "r3", "r4", "r5"], "too_many_bytes")
    assert any("5 of 6" in n or "4 of 6" in n for n in made.listing.notes)


# -- what is known before a run


def test_files_that_are_missing_or_outside_are_named_by_check(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    source = table(tmp_path / "in" / "t.parquet", ["a.jpg", "gone.jpg", "/etc/passwd", "lost.jpg"])
    text = ConfigText("job.yaml", values(source, tmp_path / "out", fields={"image": {"type": "image", "uri": True}}))
    _, listing = checked(text)
    assert len(listing.notes) == 2
    missing, outside = listing.notes
    assert "2 of 4 files" in missing
    assert "'gone.jpg', 'lost.jpg'" in missing
    assert "'/etc/passwd'" in outside
    assert "fields.image.uri: {allow: [PREFIX]}" in outside


def test_a_column_none_of_whose_files_is_there_is_refused(tmp_path: Path) -> None:
    source = table(tmp_path / "in" / "t.parquet", [f"gone{n}.jpg" for n in range(9)])
    text = ConfigText("job.yaml", values(source, tmp_path / "out", fields={"image": {"type": "image", "uri": True}}))
    with pytest.raises(FanbeamError) as caught:
        checked(text)
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert "9 of 9 files are not there" in problem.message
    assert "'gone0.jpg', 'gone1.jpg', 'gone2.jpg', …" in problem.message
    assert "fields.image" in problem.where


def test_a_dead_host_is_a_failed_record(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        made = ran(config(table(tmp_path / "in" / "t.parquet", ["a.jpg", f"{url}/x.jpg"]), tmp_path, [url]))
    assert reasons(made) == {"r1": "unreadable_file"}


def test_credentials_of_addresses_are_written_nowhere(tmp_path: Path) -> None:
    """A secret may stand in the source alone."""
    secret = "wJalrXUtnFEMI"
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    tails = [f"gone.jpg?apikey={secret}", f"gone.jpg#{secret}", f"broken.jpg?code={secret}&jwt={secret}",
             f"circles.jpg?AccountKey={secret}", f"gone.jpg?X-Amz-Signature={secret}"]  # fmt: skip

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if "circles" in handler.path:
            sent(handler, b"", 302, Location=handler.path)
        else:
            sent(handler, b"", 404 if "gone" in handler.path else 418)

    with web(answer) as (url, _), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        names = [f"{place}/{tail}" for place in (url, dead, "https://elsewhere.example") for tail in tails]
        names += [f"http://me:{secret}@{url.removeprefix('http://')}/gone.jpg", f"sftp://me:{secret}@host/a.jpg",
                  f"s3://bucket/a.jpg?sig={secret}", f"pictures/gone.jpg?token={secret}"]  # fmt: skip
        made = ran(config(table(tmp_path / "in" / "t.parquet", ["a.jpg", *names]), tmp_path, [url, dead]))
    assert kept(made) == ["r0"]
    assert len(made.dropped()) == len(names)
    assert all(secret not in note for note in made.listing.notes)
    for file in (tmp_path / "out").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    assert secret not in str(made.dropped())
