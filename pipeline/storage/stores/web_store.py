"""Web addresses that data names: read up to a bound and a deadline, and never from another host than is permitted."""

from typing import Any
from urllib.parse import urljoin, urlsplit

from pipeline.storage.local_files import Found, too_large
from pipeline.storage.stores.fsspec_store import FsspecStore, found_of
from pipeline.storage.stores.interface import Permitted
from pipeline.storage.stores.locations import OutsideAllowed, is_web

_MOST_REDIRECTIONS = 5
_MOVED = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_NO_HEAD = (400, 403, 405, 501)
_CONNECT_SECONDS, _SILENT_SECONDS, _WHOLE_SECONDS, _STATE_SECONDS = 10, 30, 120, 20
_PART_BYTES = 1 << 18


class WebStore(FsspecStore):
    """One host. Keys are whole URLs."""

    _attempts = 3

    def read_named(self, key: str, most: int, permitted: Permitted) -> bytes:
        """See `Store.read_named`. A server has two minutes, however slowly it sends."""
        data: bytes = self._call(key, lambda: self._awaited(_content(self._fs, key, most, permitted)))
        return data

    def stat_named(self, key: str, permitted: Permitted) -> Found:
        """See `Store.stat_named`. A server has twenty seconds."""
        found: Found = self._call(key, lambda: self._awaited(_state(self._fs, key, permitted)))
        return found

    def _awaited(self, coroutine: Any) -> Any:
        from fsspec.asyn import sync

        async def awaited() -> Any:
            try:
                return await coroutine
            except TimeoutError as error:  # it had its time: it is not asked again
                raise OSError("the server did not send all of it in time") from error

        return sync(self._fs.loop, awaited)


async def _content(system: Any, url: str, most: int, permitted: Permitted) -> bytes:
    answer = await _answer(system, "GET", url, permitted, _WHOLE_SECONDS)
    async with answer:
        if (answer.content_length or 0) > most:
            raise too_large(most, answer.content_length)
        data = bytearray()
        async for part in answer.content.iter_chunked(_PART_BYTES):
            data += part
            if len(data) > most:
                raise too_large(most)
        return bytes(data)


async def _state(system: Any, url: str, permitted: Permitted) -> Found:
    answer = await _answer(system, "HEAD", url, permitted, _STATE_SECONDS)
    async with answer:
        headers = answer.headers
        info = {
            "size": answer.content_length,
            "ETag": headers.get("ETag"),
            "LastModified": headers.get("Last-Modified"),
        }
        return found_of(url, info)


async def _answer(system: Any, method: str, url: str, permitted: Permitted, seconds: float) -> Any:
    """The open answer of where the redirections end. Raises FileNotFoundError, OutsideAllowed, and aiohttp's errors."""
    from aiohttp import ClientTimeout

    session = await system.set_session()
    limits = ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
    for _ in range(_MOST_REDIRECTIONS):
        answer = await session.request(method, system.encode_url(url), allow_redirects=False, timeout=limits)
        if answer.status in _MOVED and "Location" in answer.headers:
            url = _next(url, answer.headers["Location"], permitted)
            answer.close()
            continue
        if method == "HEAD" and answer.status in _NO_HEAD:
            method = "GET"
            answer.close()
            continue
        if answer.status in _GONE:
            answer.close()
            raise FileNotFoundError(url)
        answer.raise_for_status()
        return answer
    raise OSError("the web address leads in circles")


def _next(url: str, location: str, permitted: Permitted) -> str:
    """Where a redirection leads."""
    there = urljoin(url, location)
    if is_web(there) and (_same_host(url, there) or permitted(there)):
        return there
    raise OutsideAllowed(f"it is redirected to another host, {urlsplit(there).netloc.rpartition('@')[2]}")


def _same_host(url: str, there: str) -> bool:
    """The very host and port, or the same host by https where it was http."""
    before, after = urlsplit(url), urlsplit(there)
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return True
    upgraded = (before.scheme, after.scheme) == ("http", "https")
    return upgraded and before.hostname == after.hostname and {before.port, after.port} <= {None, 80, 443}
