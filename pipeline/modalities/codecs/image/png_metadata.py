"""PNG without its metadata: for files whose texts, profiles or dates are too large or damaged for Pillow.

libpng passes over such chunks and reads the pixels; so do browsers. Kept are the chunks that pixels are made of, the
transparent colour, and an Exif block that is whole.
Source: PNG (ISO/IEC 15948).
"""

import struct
import zlib

_SIGNATURE = 8


def content_of(data: bytes, name: bytes) -> int:
    """Where the content of a chunk begins; 0 if there is none. Chunk by chunk: pixels may look like a name."""
    place = _SIGNATURE
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == name:
            return place + 8
        place += 12 + int(length)
    return 0


def without_metadata(data: bytes) -> bytes:
    """The file with its pixels alone; the file itself where its chunks do not lead to the end."""
    view, position, kind = memoryview(data), _SIGNATURE, b""
    parts = [bytes(view[:_SIGNATURE])]
    try:
        while kind != b"IEND":
            length, kind = struct.unpack_from(">I4s", data, position)
            end = position + 12 + length
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            whole = zlib.crc32(view[position + 4 : end - 4]) == checksum
            if not kind[0] & 0x20 or kind == b"tRNS" or (kind == b"eXIf" and whole):
                parts.append(bytes(view[position:end]))
            position = end
    except (struct.error, IndexError):
        return data
    return b"".join(parts)
