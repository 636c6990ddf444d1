"""Text: the column's own string type, checked to be Unicode that UTF-8 can carry."""

from dataclasses import dataclass

from pipeline.modalities.codecs import CodecError, Decoded, Payload
from pipeline.modalities.codecs.token_lists import text_of, words_of
from transforms.text.tokens import as_list, of_list
from transforms.values import TextValue, Value


@dataclass(frozen=True, slots=True)
class TextCodec:
    """Text is neither normalised nor trimmed; the empty text is a text. `tokens`: it came as a list of words."""

    tokens: bool = False

    def decode(self, payload: Payload) -> Decoded:
        """Decode a string, or bytes that are UTF-8; `CodecError` not_text for anything else."""
        text = _checked(payload)
        return Decoded(of_list(words_of(text)) if self.tokens else TextValue(text), "text")

    def encode(self, value: Value, source_format: str) -> str:
        """Give the string; `CodecError` not_text where a step left half a surrogate pair, cannot_encode for no text."""
        if not isinstance(value, TextValue):
            raise CodecError("cannot_encode", f"expected a text, found {type(value).__name__}")
        if self.tokens:
            return _checked(text_of(as_list(value)))
        return _checked(value.text)


def _checked(payload: Payload | None) -> str:
    try:
        if isinstance(payload, bytes | bytearray | memoryview):
            return bytes(payload).decode("utf-8")
        if not isinstance(payload, str):
            raise CodecError("not_text", f"expected a string, found {type(payload).__name__}")
        payload.encode("utf-8")
    except UnicodeError as error:
        reason = getattr(error, "reason", "not UTF-8")
        raise CodecError("not_text", f"not valid Unicode text: {reason} at position {_place(error)}") from error
    return payload


def _place(error: UnicodeError) -> int:
    return int(getattr(error, "start", 0))
