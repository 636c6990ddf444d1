"""The environment -> what obstore needs: endpoint, region, credentials. Read in each process, kept nowhere."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.storage.stores.store_errors import StoreFailed, family, told

_RENEWED = timedelta(minutes=15)
_AZURE_PARTS = {
    "AccountName": "account_name", "AccountKey": "account_key",
    "BlobEndpoint": "endpoint", "SharedAccessSignature": "sas_key",
}  # fmt: skip
_PATIENT: dict[str, Any] = {
    "backoff": {"init_backoff": timedelta(milliseconds=500), "max_backoff": timedelta(seconds=15), "base": 3},
    "max_retries": 10,
    "retry_timeout": timedelta(seconds=150),
}
"""About a minute of a store that is too busy or down. A pause is drawn between the first and `base` times the last."""
_IMPATIENT: dict[str, Any] = {
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=2), "base": 3},
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=20),
}
"""For the first contact: a wrong endpoint is told in seconds."""
_CONNECT, _READ, _WHOLE = timedelta(seconds=10), timedelta(seconds=30), timedelta(seconds=120)


def settings(url: str, bucket: str, account: str = "", patient: bool = True) -> dict[str, Any]:
    """Keyword arguments of obstore's `S3Store` or `AzureStore` for a bucket. Raises StoreFailed: no credentials."""
    config, provider = _s3(url) if family(url) == "s3" else (_azure(url, account), None)
    client: dict[str, Any] = {"timeout": _WHOLE, "read_timeout": _READ, "connect_timeout": _CONNECT}
    if str(config.get("endpoint", "")).startswith("http://"):
        client["allow_http"] = True
    if bundle := os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"):
        client["root_certificate"] = Path(bundle).read_bytes()
    found: dict[str, Any] = {
        "config": config,
        "client_options": client,
        "retry_config": _PATIENT if patient else _IMPATIENT,
    }
    return found | ({"credential_provider": provider} if provider else {}) | {"bucket": bucket}


def _s3(url: str) -> tuple[dict[str, Any], Callable[[], dict[str, Any]] | None]:
    env = os.environ
    config: dict[str, Any] = {"disable_bulk_delete": True}
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or env.get("AWS_ENDPOINT")
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    provider = None
    public = env.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true", "yes")
    keys = env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY") and not env.get("AWS_PROFILE")
    if not (keys or public):
        session = _session(url)
        scoped = _profile(session)
        provider = _provider(url, session)
        region = region or session.get_config_variable("region")
        endpoint = endpoint or scoped.get("endpoint_url")
    if endpoint:
        config |= {"endpoint": endpoint, "aws_endpoint_url_s3": endpoint}
    return config | {"region": region or "us-east-1"}, provider


def _session(url: str) -> Any:
    import botocore.session  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

    try:
        session = botocore.session.Session()
        session.get_scoped_config()
    except BotoCoreError as error:
        raise StoreFailed(f"{url}: {error}. Correct AWS_PROFILE, or the files in ~/.aws.") from error
    return session


def _profile(session: Any) -> dict[str, Any]:
    scoped: dict[str, Any] = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(scoped.get("services"), {})
    return {**scoped, **services.get("s3", {})}


def _provider(url: str, session: Any) -> Callable[[], dict[str, Any]]:
    """Credentials by botocore's own chain (profile, sso, process, web identity, container, instance), renewed."""
    from botocore.exceptions import BotoCoreError

    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise told(url, error) from error
    if credentials is None:
        raise told(url, ValueError("no credentials"))

    def fetch() -> dict[str, Any]:
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _RENEWED,
        }

    return fetch


def _azure(url: str, account: str) -> dict[str, Any]:
    env = os.environ
    config: dict[str, Any] = {}
    parts = dict(
        part.split("=", 1) for part in env.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";") if "=" in part
    )
    if parts.get("UseDevelopmentStorage", "").lower() == "true":
        config["use_emulator"] = True
    config |= {ours: parts[theirs].strip() for theirs, ours in _AZURE_PARTS.items() if theirs in parts}
    if parts and "endpoint" not in config and "account_name" in config:
        protocol, suffix = (
            parts.get("DefaultEndpointsProtocol", "https"),
            parts.get("EndpointSuffix", "core.windows.net"),
        )
        config["endpoint"] = f"{protocol}://{config['account_name']}.blob.{suffix}"
    if not parts and (endpoint := env.get("AZURE_STORAGE_ENDPOINT") or env.get("AZURE_ENDPOINT")):
        config["endpoint"] = endpoint
    named = account or env.get("AZURE_STORAGE_ACCOUNT_NAME") or env.get("AZURE_STORAGE_ACCOUNT")
    if not (config or named or env.get("AZURE_STORAGE_USE_EMULATOR")):
        raise told(url, ValueError("no credentials"))
    return config | ({"account_name": account} if account and not parts else {})
