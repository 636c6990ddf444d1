"""How many bands a TIFF has, and whether a picture can hold them: grey or colours, with alpha or without.

Satellites and microscopes write more; the libraries below drop what they do not know, or take the fourth band for
alpha. Source: TIFF 6.0 (PhotometricInterpretation, SamplesPerPixel, ExtraSamples).
"""

from typing import Final

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.tiff_directories import BITS, EXTRA, PHOTOMETRIC, SAMPLES, Tags

_COLOURS: Final = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}
_ALPHA: Final = (1, 2)


def check_bands(tags: Tags) -> None:
    """Raise `CodecError` unsupported_format for a page with bands that are neither colours nor alpha."""
    samples = tags.get(SAMPLES, (1,))[0]
    colours = _COLOURS.get(tags.get(PHOTOMETRIC, (1,))[0], samples)
    if samples <= colours or (samples == colours + 1 and _is_alpha(tags)):
        return
    what = f"the TIFF has {samples} bands, {colours} of them colours or grey, and the others are not alpha"
    cure = "keep 1 or 3 of them (with alpha: 4), or read all as type: volume"
    raise CodecError("unsupported_format", f"{what}; {cure}")


def _is_alpha(tags: Tags) -> bool:
    """Whether the band behind the colours is alpha. Old writers of 8 bit RGBA do not say so."""
    extra = tags.get(EXTRA, ())
    return extra[0] in _ALPHA if extra else set(tags.get(BITS, ())) == {8}
