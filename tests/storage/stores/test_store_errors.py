import pytest

from pipeline.errors import RunFailed
from pipeline.storage.stores.store_errors import StoreFailed, family, masked, secret_in, told

SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://AKIA:{SECRET}@bucket/x", f"s3://{SECRET}@bucket/x", f"https://u:{SECRET}@host/x", f"az://{SECRET}@c/x",
        f"az://c/x?sv=2020&sig={SECRET}", f"s3://b/x?X-Amz-Signature={SECRET}", f"https://h/x?token={SECRET}",
        f"s3://b/x?aws_secret_access_key={SECRET}", f"abfs://c:{SECRET}@a.dfs.core.windows.net/x",
        f"sftp://me:{SECRET}@host/x", f"https://h/x?apikey={SECRET}", f"https://h/x?a=1&key={SECRET}",
        f"https://h/x?auth={SECRET}", f"https://h/x?code={SECRET}", f"https://h/x?jwt={SECRET}",
        f"az://c/x?AccountKey={SECRET}", f"https://h/x#{SECRET}", f"https://h/x#access_token={SECRET}",
        f"https://h/x?api%5Fkey={SECRET}", f"https://u:{SECRET}@h/x?sig={SECRET}#{SECRET}",
        f"https://h/x?a=1;Api-Key={SECRET}", f"https://h/x?X-Goog-Signature={SECRET}&b=2",
        f"https://h/x?Policy={SECRET}&Key-Pair-Id={SECRET}", f"https://h/x?client_secret={SECRET}",
    ],
)  # fmt: skip
def test_a_url_with_a_secret_is_refused_without_telling_it(url: str) -> None:
    reason = secret_in(url)
    assert "environment" in reason
    assert SECRET not in reason
    said = masked(f"{url}: no such file, asked for {url} twice")
    assert SECRET not in said
    assert "no such file" in said


@pytest.mark.parametrize(
    "url",
    ["s3://b/x", "s3://b/x?.parquet", "s3://b/a@b/x", "abfs://c@account.dfs.core.windows.net/x", "/a/b@c:d", "x",
     "gs://b/sig=1/x", "memory://a/b", "https://h/monkey=1/x?page=2&size=3", "https://h/x?keyword=a&coded=b",
     "s3://b/a#b/x"],
)  # fmt: skip
def test_other_urls_are_not(url: str) -> None:
    assert secret_in(url) == ""
    assert masked(url) == url or "sig=" in url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status code: 404 <Code>NoSuchBucket</Code>", "no such bucket"),
        ("status code: 403 Forbidden", "access denied"),
        ("The operation lacked the necessary privileges", "access denied"),
        ("GET http://169.254.169.254/latest/api/token", "no credentials"),
        ("status code: 301 Moved", "AWS_REGION"),
        ("in 503.2ms, max_retries: 1, retry_timeout: 150s - HTTP error: error sending request", "cannot be reached"),
        ("status code: 503 Slow Down", "too busy"),
        ("HTTP error: operation timed out", "in time"),
        ("status code: 500", "every attempt"),
        ("something else\nwith details", "something else"),
    ],
)
def test_every_failure_is_one_line_that_helps(text: str, said: str) -> None:
    message = told("s3://bucket/x", OSError(text)).message
    assert said in message
    assert message.startswith("s3://bucket/x: ")
    assert "\n" not in message


def test_status_codes_of_exceptions_count() -> None:
    class HttpError(Exception):
        code = 403

    assert "gcloud" in told("gs://b/x", HttpError("no")).message


def test_nothing_secret_is_told() -> None:
    assert SECRET not in told("az://c/x", ValueError(f"bad http://h/c?sv=1&sig={SECRET}&x=1")).message
    assert masked(f"a?sig={SECRET}&b=1") == "a?sig=***&b=1"


def test_a_store_that_fails_makes_no_failed_record() -> None:
    assert issubclass(StoreFailed, RunFailed)
    assert not issubclass(StoreFailed, OSError)


def test_families() -> None:
    assert [family(f"{s}://x") for s in ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory")] == [
        "s3", "s3", "gs", "gs", "az", "az", "az", "memory",
    ]  # fmt: skip
