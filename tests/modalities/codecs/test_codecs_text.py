import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.modalities.codecs import CodecError, Decoded
from pipeline.modalities.codecs.text import TextCodec
from transforms.values import AudioValue, TextValue

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))


@given(UNICODE)
def test_strings_come_back_as_they_were(text: str) -> None:
    codec = TextCodec()
    decoded = codec.decode(text)
    assert decoded == Decoded(TextValue(text), "text")
    assert codec.encode(decoded.value, decoded.source_format) == text


@given(UNICODE)
def test_utf_8_bytes_are_text(text: str) -> None:
    assert TextCodec().decode(text.encode()).value == TextValue(text)


@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "a\r\nb", "e\u0301", "\U0001f600", "\ufeffx"])
def test_nothing_is_trimmed_or_normalised(text: str) -> None:
    assert TextCodec().decode(text).value == TextValue(text)


@pytest.mark.parametrize(
    "payload", [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"ab\xc3", "a\ud800", "\udfff", None, 7, ["a"]]
)
def test_what_is_no_text(payload: Any) -> None:
    with pytest.raises(CodecError) as caught:
        TextCodec().decode(payload)
    assert caught.value.reason == "not_text"
    assert str(caught.value)


def test_position_of_the_fault_is_named() -> None:
    with pytest.raises(CodecError, match="position 3"):
        TextCodec().decode(b"caf\xe9")


def test_half_a_surrogate_pair_cannot_be_encoded() -> None:
    with pytest.raises(CodecError) as caught:
        TextCodec().encode(TextValue("\ud83d"), "text")
    assert caught.value.reason == "not_text"


def test_other_values_cannot_be_encoded() -> None:
    with pytest.raises(CodecError) as caught:
        TextCodec().encode(AudioValue(None, 1), "text")  # type: ignore[arg-type]
    assert caught.value.reason == "cannot_encode"


def test_codec_survives_a_process_boundary() -> None:
    assert pickle.loads(pickle.dumps(TextCodec())) == TextCodec()
