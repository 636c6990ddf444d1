"""What went wrong with a store, as one line that says what to do. No credentials in it."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import RunFailed
from pipeline.escaping.url_credentials import masked as masked
from pipeline.escaping.url_credentials import secret_in as secret_in

_AGAIN = "Run the same command again: what is written is kept."
_SETTINGS = re.compile(r"max_retries: \d+,?|retry_timeout: [^ ,]+")
_NOBODY = ("the store did not answer", "the store cannot be reached")
_WHAT = (
    (r"NoSuchBucket|ContainerNotFound|specified (bucket|container) does not exist|no such bucket"
     r"|bucket does not exist",
     "there is no such bucket. Create it, or correct the path."),
    (r"no credentials|NoCredentials|169\.254\.169\.254|metadata\.google|DefaultCredentialsError|Anonymous caller"
     r"|Account must be specified",
     "there are no credentials in the environment. {credentials}"),
    (r"code: 40[13]\b|AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId|AuthenticationFailed|Forbidden|Unauthorized"
     r"|lacked the necessary|Permission denied|ExpiredToken|invalid_grant",
     "access denied. The credentials in the environment do not allow this, or are wrong or expired. {credentials}"),
    (r"code: 301\b|PermanentRedirect|AuthorizationHeaderMalformed|redirect",
     "the bucket lies in another region. Set AWS_REGION to it."),
    (r"code: (429|503)\b|SlowDown|ServerBusy|TooManyRequests|rateLimitExceeded",
     f"the store is too busy and stayed so through every attempt. {_AGAIN}"),
    (r"truncated", f"the store failed through every attempt. {_AGAIN}"),
    (r"timed? ?out|TimeoutError",
     "the store did not answer in time. Check the network, and the endpoint in the environment "
     "({endpoint}); then run the same command again."),
    (r"error sending request|[Cc]onnection refused|Cannot connect|dns error|connection error|ConnectError|resolve",
     "the store cannot be reached. Check the network, and the endpoint in the environment ({endpoint})."),
    (r"code: 5\d\d\b|[Cc]onnection reset|closed|end of file|IncompleteBody",
     f"the store failed through every attempt. {_AGAIN}"),
)  # fmt: skip
_CREDENTIALS = {
    "s3": ("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for a public bucket "
           "AWS_SKIP_SIGNATURE=true.", "AWS_ENDPOINT_URL"),
    "gs": ("Set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login.",
           "STORAGE_EMULATOR_HOST"),
    "az": ("Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY.",
           "AZURE_STORAGE_ENDPOINT"),
}  # fmt: skip
_FAMILY = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az", "azure": "az"}


class StoreFailed(RunFailed):
    """A store could not be used. Not an OSError: a store that is down makes no failed records."""


class Unreachable(StoreFailed):
    """Nobody answers at the store's address."""


def family(url: str) -> str:
    """`s3`, `gs`, `az`, or the scheme itself."""
    scheme = url.partition("://")[0].lower()
    return _FAMILY.get(scheme, scheme)


def told(url: str, error: BaseException) -> StoreFailed:
    """The error for the user, from what a library says."""
    url = masked(url)
    code = getattr(error, "code", None) or getattr(error, "status", None)
    text = f"{type(error).__name__}: {without_details(error)}" + (f" (status code: {code})" if code else "")
    credentials, endpoint = _CREDENTIALS.get(family(url), ("", "none"))
    for pattern, what in _WHAT:
        if re.search(pattern, text):
            kind = Unreachable if what.startswith(_NOBODY) else StoreFailed
            return kind(f"{url}: {what.format(credentials=credentials, endpoint=endpoint)}".rstrip())
    lines = [line for line in masked(text).splitlines() if line.strip()]
    return StoreFailed(f"{url}: the store failed: {lines[0][:300]}")


def without_details(error: BaseException) -> str:
    """What a library says, without the settings and the insides that it repeats."""
    return _SETTINGS.sub("", str(error).split("Debug source")[0])


@contextmanager
def clear_errors(path: str) -> Iterator[None]:
    """One clear line for what the user can mend."""
    try:
        yield
    except FileNotFoundError as error:
        if "://" not in path:
            raise RunFailed(f"{path}: cannot be written: {error.strerror or error}") from error
        raise StoreFailed(f"{path}: cannot be written: there is no such bucket. Create it first.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunFailed(f"{path}: the disk is full. Free some space and run the same command again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise RunFailed(
                f"{path}: cannot be written: {error.strerror}. Check owner and mode, or output.path."
            ) from error
        raise RunFailed(f"{path}: cannot be written: {error.strerror or error}") from error
