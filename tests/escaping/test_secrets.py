"""Credentials of URLs, wherever a user can put one: no command prints them, and none stands in what is written."""

import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from local_web import sent, web
from small_inputs import config_of, jpeg, opened, parquet, put, text_columns, values

from pipeline.cli.program import main
from pipeline.planning.survey import survey

SECRET = "S3CRETmark"
FORMS = [
    f"http://user:{SECRET}@HOST/PATH",
    f"http://user:p@{SECRET}@HOST/PATH",
    f"http://{SECRET}@HOST/PATH",
    f"http://HOST/PATH?sig={SECRET}",
    f"http://HOST/PATH?X-Amz-Signature={SECRET}&b=1",
    f"http://HOST/PATH?apikey={SECRET}",
    f"http://HOST/PATH?a=1;AccountKey={SECRET}",
    f"http://HOST/PATH#token-{SECRET}",
]
ODD = [
    f"//user:{SECRET}@HOST/x.jpg",
    f"simplecache::http://user:{SECRET}@HOST/x.jpg",
    f"s3://user:{SECRET}@bucket/x.jpg?sig={SECRET}",
    f"sftp://user:{SECRET}@HOST/x.jpg",
    f"abfss://c:{SECRET}@account.dfs.core.windows.net/x.jpg",
    f"http://user:{SECRET}@HOST/../x.jpg",
    f"http://user:{SECRET}@[bad/x.jpg",
]


def pictures(handler: BaseHTTPRequestHandler) -> None:
    """A picture for each number; other paths go wrong, each in its way."""
    number = re.search(r"/(\d+)\.jpg", handler.path)
    if "/away" in handler.path:
        sent(handler, b"", 302, Location=f"http://user:{SECRET}@localhost:1/x?sig={SECRET}")
    elif "/forbidden" in handler.path or number is None:
        sent(handler, b"", 403 if number else 404)
    else:
        sent(handler, b"no picture" if "/text" in handler.path else jpeg(int(number[1]), 64))


def urls_of(host: str) -> list[str]:
    """Of every form two that are fine, and one for each way to go wrong."""
    kinds = ["", "", "text/", "forbidden/", "away/"]
    found = [form.replace("PATH", f"{kind}{n}.jpg") for form in FORMS for n, kind in enumerate(kinds)]
    found = [re.sub(r"/(\d+)\.jpg", f"/{n}.jpg", url) for n, url in enumerate(found)]
    return [url.replace("HOST", host) for url in [*found, *(form.replace("PATH", "gone.jpg") for form in FORMS), *ODD]]


def everything_in(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """What files hold, Parquet columns as bytes and as values."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield file, file.read_bytes()
        if file.suffix == ".parquet":
            yield file, repr(pq.read_table(file).to_pylist()).encode()


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command; what it says holds no secret and no talk of defects."""

    def run(code: int | None, *arguments: object) -> str:
        got = main([str(argument) for argument in arguments])
        printed = "".join(capfd.readouterr())
        assert SECRET not in printed, (arguments, printed)
        assert "a defect of fanbeam" not in printed, (arguments, printed)
        assert code is None or got == code, (arguments, printed)
        return printed

    return run


def test_urls_of_cells(tmp_path: Path, said: Callable[..., str]) -> None:
    with web(pictures) as (server, _):
        urls = urls_of(server.removeprefix("http://"))
        columns = {
            "id": [f"r{n}" for n in range(len(urls))],
            "label": [("owl", "tit")[n % 2] for n in range(len(urls))],
        }
        source = parquet(tmp_path / "in/a.parquet", {**columns, "url": urls})
        field = {"type": "image", "uri": {"allow": f"{server}/"}, "augment": ["albumentations.HorizontalFlip"]}
        made = tmp_path / "made"
        tree = values(source, made / "out", fields={"url": field}, split={"validation": 0.3}, limits__failed=1.0)
        config = put(tmp_path / "c.yaml", yaml.safe_dump(tree))
        said(None, "init", source, "-o", made / "init.yaml")
        said(0, "check", config, "--json")
        said(0, "plan", config)
        said(0, "preview", config, "-o", made / "sheet.png")
        said(0, "run", config, "--workers", "1", "--debug")
        (dataset,) = (path for path in (made / "out").iterdir() if path.name not in ("LATEST", "_splits"))
        said(0, "run", config, "--json")
        said(0, "verify", dataset, "--json")
        said(0, "audit", dataset)
        sample = pq.read_table(next(dataset.glob("train/*.parquet"))).column("sample_id")[0].as_py()
        said(0, "replay", dataset, sample, "-o", made / "replayed")
        failed = [row for file in dataset.glob("_failed/*.parquet") for row in pq.read_table(file).to_pylist()]
        assert len(failed) == 4 * len(FORMS) + len(ODD)
        assert any("http://***@" in row["message"] for row in failed)
        (tmp_path / "in").rename(tmp_path / "moved")
        assert "--input" in said(1, "replay", dataset, sample)
        for file, data in everything_in(made):
            assert SECRET.encode() not in data, file


PLACES = [
    ("input", "path"), ("input", "root"), ("input", "allow"), ("output", "path"), ("fields", "text", "uri", "allow"),
    ("fields", "text", "augment"), ("fields", "text", "encode"),
]  # fmt: skip


@pytest.mark.parametrize("form", [*FORMS[:2], FORMS[3], FORMS[-1], *ODD[:3], f"file:///x?sig={SECRET}"])
def test_urls_of_configs_and_command_lines(tmp_path: Path, said: Callable[..., str], form: str) -> None:
    url = form.replace("HOST", "127.0.0.1:1").replace("PATH", "x")
    source = parquet(tmp_path / "in/a.parquet", text_columns(6))
    for place in PLACES:
        tree: dict[str, Any] = values(source, tmp_path / "out", split={})
        at = tree
        for key in place[:-1]:
            at = at.setdefault(key, {})
        at[place[-1]] = [{"nlpaug.SpellingAug": {"dict_path": url}}] if place[-1] == "augment" else url
        config = put(tmp_path / "c.yaml", yaml.safe_dump(tree))
        said(None, "check", config)
        said(None, "check", config, "--json")
    sounds = {"audiomentations.AddBackgroundNoise": {"sounds_path": url}}
    fields = {"sound": {"type": "audio", "augment": [sounds]}}
    said(2, "check", put(tmp_path / "c.yaml", yaml.safe_dump(values(source, tmp_path / "out", fields=fields))))
    config = put(tmp_path / "c.yaml", yaml.safe_dump(values(source, tmp_path / "out", split={})))
    said(2, "check", config, "--set", url)
    said(2, "check", config, "--set", f"input.path={url}", "--debug")
    for command in ("check", "init", "verify"):
        said(None, command, url)
    said(None, "audit", url, url)
    said(None, "replay", url, "r0/1")
    said(None, "init", source, "-o", url)


def test_ids_and_groups_that_are_urls(tmp_path: Path, said: Callable[..., str]) -> None:
    """An id must stay what it is; people hear of it. Groups are shown without the credential."""
    links = [f"http://host/{n // 2}?sig={SECRET}{n % 2}" for n in range(12)]
    groups = [
        f"HTTP://user:{SECRET}@host/{n // 4}" if n % 2 else f"http://user:{SECRET}@host/{n // 4}" for n in range(12)
    ]
    columns = {**text_columns(12), "link": links, "site": groups, "part": ["train", "train", "test"] * 4}
    source = parquet(tmp_path / "in/a.parquet", columns)
    job, listing = opened(config_of(source, tmp_path / "out", input__id="link", split={}))
    (note,) = survey(job, listing.units).notes
    assert note.startswith("12 ids of link are URLs that hold a credential, which stands in sample_id, lineage and")
    tree = values(source, tmp_path / "out", input__group="site", split={"column": "part"}, limits__leaks=1.0)
    config = put(tmp_path / "c.yaml", yaml.safe_dump(tree))
    said(0, "plan", config)
    said(0, "run", config, "--workers", "1")
    (dataset,) = (path for path in (tmp_path / "out").iterdir() if path.name not in ("LATEST", "_splits"))
    said(None, "audit", dataset)
    said(None, "audit", dataset, "--json")
    for file, data in everything_in(dataset):
        assert SECRET.encode() not in data or file.parent.name in ("train", "test"), file
