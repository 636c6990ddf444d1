"""Ogg files: whether the last page is whole, and where one stream ends and the next begins.

Radio recorders and `cat` put streams one behind the other (chained); libsndfile reads the first of them.
Source: RFC 3533.
"""

from pipeline.modalities.codecs import CodecError

_MAGIC = b"OggS"
_BEGINS = 2
_HEAD_BYTES = 27
_MOST_STREAMS = 10_000


def links(data: bytes) -> list[bytes]:
    """The streams of a file that follow each other, mostly one. Raises `CodecError` truncated; `IndexError`."""
    starts, position, beginning = [0], 0, True
    while position >= 0:
        begins = data[position + 5] & _BEGINS != 0
        if begins and not beginning:
            starts.append(position)
        beginning = begins
        after = _end(data, position)
        if after > len(data):
            raise CodecError("truncated", "the last page of the Ogg file is cut off")
        position = data.find(_MAGIC, after)
    if len(starts) > _MOST_STREAMS:
        raise CodecError("too_long", f"the Ogg file holds {len(starts)} streams; at most {_MOST_STREAMS} are read")
    if len(starts) == 1:
        return [data]
    return [data[begin:end] for begin, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _end(data: bytes, position: int) -> int:
    """Where a page ends."""
    segments = data[position + 26]
    table = data[position + _HEAD_BYTES : position + _HEAD_BYTES + segments]
    return position + _HEAD_BYTES + segments + sum(table) + (segments - len(table)) * len(data)
