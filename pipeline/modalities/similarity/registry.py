"""One measure of likeness for each modality."""

from pipeline.modalities.codecs import Codec
from pipeline.modalities.similarity.audio import SoundMeasure
from pipeline.modalities.similarity.frames import ClipMeasure, VolumeMeasure
from pipeline.modalities.similarity.images import PictureMeasure
from pipeline.modalities.similarity.interface import Measure
from pipeline.modalities.similarity.text import TextMeasure

SEEN: dict[str, type[PictureMeasure | ClipMeasure | VolumeMeasure]] = {
    "image": PictureMeasure,
    "video": ClipMeasure,
    "volume": VolumeMeasure,
}
"""Modalities for which a mirror image may count as the same."""
HEARD_AND_READ: dict[str, type[SoundMeasure | TextMeasure]] = {"audio": SoundMeasure, "text": TextMeasure}


def measure_of(modality: str, mirrored: bool = False, codec: Codec | None = None) -> Measure:
    """The measure of a field; `codec` decodes its payloads, by default with that codec's own limits.

    `mirrored` says nothing for sounds and texts. Raises KeyError for a modality that there is not.
    """
    settings = {} if codec is None else {"codec": codec}
    if modality in SEEN:
        return SEEN[modality](mirrored, **settings)
    return HEARD_AND_READ[modality](**settings)
