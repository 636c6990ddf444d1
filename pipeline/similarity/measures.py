"""One measure of likeness for each modality."""

from pipeline.codecs import Codec
from pipeline.similarity.frames import ClipMeasure, VolumeMeasure
from pipeline.similarity.interface import Measure
from pipeline.similarity.pictures import PictureMeasure
from pipeline.similarity.sounds import SoundMeasure
from pipeline.similarity.texts import TextMeasure

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
