"""Make a bucket on a store, once it answers: python bucket.py s3|gcs|azure NAME. Standard library only.

The endpoint and the keys are in the environment variables that `s3.sh`, `gcs.sh` and `azure.sh` print.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import urlsplit

PATIENCE_SECONDS = 60
THERE = (200, 201, 409)  # 409: it is there already


def s3_request(name: str) -> tuple[str, str, str, dict[str, str], bytes]:
    """`PUT /name`, signed as AWS Signature Version 4 wants it."""
    endpoint, now = os.environ["AWS_ENDPOINT_URL"], datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    host, empty, region = urlsplit(endpoint).netloc, hashlib.sha256(b"").hexdigest(), os.environ["AWS_REGION"]
    headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": now}
    signed = ";".join(sorted(headers))
    canonical = "\n".join(
        ["PUT", f"/{name}", "", *(f"{key}:{headers[key]}" for key in sorted(headers)), "", signed, empty]
    )
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    )
    return endpoint, "PUT", f"/{name}", headers, b""


def gcs_request(name: str) -> tuple[str, str, str, dict[str, str], bytes]:
    """`POST /storage/v1/b`."""
    body = json.dumps({"name": name}).encode()
    headers = {"content-type": "application/json"}
    return os.environ["STORAGE_EMULATOR_HOST"], "POST", "/storage/v1/b?project=fanbeam", headers, body


def azure_request(name: str) -> tuple[str, str, str, dict[str, str], bytes]:
    """`PUT /account/name?restype=container`, signed as Shared Key wants it."""
    account = os.environ["AZURE_STORAGE_ACCOUNT_NAME"]
    connection = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    endpoint = dict(part.split("=", 1) for part in connection.split(";") if part)["BlobEndpoint"]
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    path = f"{urlsplit(endpoint).path}/{name}"
    named = "".join(f"{key}:{headers[key]}\n" for key in sorted(headers))
    text = f"PUT\n{chr(10) * 11}{named}/{account}{path}\nrestype:container"
    key = base64.b64decode(os.environ["AZURE_STORAGE_ACCOUNT_KEY"])
    signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
    headers["authorization"] = f"SharedKey {account}:{signature}"
    return endpoint, "PUT", f"{path}?restype=container", headers, b""


REQUESTS = {"s3": s3_request, "gcs": gcs_request, "azure": azure_request}


def make_bucket(kind: str, name: str) -> str:
    """Ask once; empty if the bucket is there now, else what the server said."""
    endpoint, method, path, headers, body = REQUESTS[kind](name)
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    try:
        connection.request(method, path, body, {**headers, "content-length": str(len(body))})
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
        return "" if answer.status in THERE else f"{answer.status} {said[:500]}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def main(kind: str, name: str) -> int:
    end = time.monotonic() + PATIENCE_SECONDS
    while problem := make_bucket(kind, name):
        if time.monotonic() > end:
            print(f"cannot make the bucket {name}: {problem}", file=sys.stderr)
            return 1
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
