import os
from pathlib import Path

import pytest
from small_inputs import put

from pipeline.storage.stores.credentials import settings
from pipeline.storage.stores.store_errors import StoreFailed


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "AZURE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")


def test_keys_stay_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch)
    found = settings("s3://b", "b")
    assert found["config"]["region"] == "us-east-1"
    assert "credential_provider" not in found
    assert "hidden" not in repr(found)
    assert "allow_http" not in found["client_options"]


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1"),
        ({"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_S3": "https://b"}, "https://b"),
        ({}, None),
    ],
)
def test_endpoints(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], endpoint: str | None) -> None:
    keys(monkeypatch)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = settings("s3://b", "b")
    assert found["config"].get("endpoint") == endpoint
    assert found["config"]["region"] == "eu-north-1"
    assert found["client_options"].get("allow_http", False) == str(endpoint).startswith("http://")


def test_a_profile_gives_keys_region_and_endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    put(
        tmp_path / "config",
        b"[profile mine]\nregion = eu-west-1\nservices = here\n[services here]\ns3 =\n  endpoint_url = http://s3:9\n",
    )
    put(tmp_path / "credentials", b"[mine]\naws_access_key_id = mine\naws_secret_access_key = other\n")
    found = settings("s3://b", "b")
    assert (found["config"]["region"], found["config"]["endpoint"]) == ("eu-west-1", "http://s3:9")
    fetched = found["credential_provider"]()
    assert (fetched["access_key_id"], fetched["secret_access_key"]) == ("mine", "other")
    assert fetched["expires_at"].tzinfo is not None


def test_no_profile_of_that_name_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreFailed, match=r"no credentials.*AWS_SKIP_SIGNATURE"):
        settings("s3://b", "b")
    monkeypatch.setenv("AWS_PROFILE", "gone")
    with pytest.raises(StoreFailed, match=r"gone.*AWS_PROFILE"):
        settings("s3://b", "b")


def test_public_buckets_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert "credential_provider" not in settings("s3://b", "b")


@pytest.mark.parametrize(
    ("text", "config"),
    [
        (
            "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=a2V5PQ==;EndpointSuffix=core.windows.net",
            {"account_name": "me", "account_key": "a2V5PQ==", "endpoint": "https://me.blob.core.windows.net"},
        ),
        (
            "BlobEndpoint=http://127.0.0.1:1/me;AccountName=me;SharedAccessSignature=sv=1&sig=x;",
            {"account_name": "me", "endpoint": "http://127.0.0.1:1/me", "sas_key": "sv=1&sig=x"},
        ),
        ("UseDevelopmentStorage=true", {"use_emulator": True}),
        ("", {"account_name": "given"}),
    ],
)
def test_connection_strings(monkeypatch: pytest.MonkeyPatch, text: str, config: dict[str, object]) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    assert settings("az://c", "c", "given")["config"] == config
