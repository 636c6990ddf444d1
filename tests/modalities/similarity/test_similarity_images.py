import os
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.similarity.images import DETAIL, PictureMeasure
from transforms.values import ImageValue

PLAIN, MIRRORED = PictureMeasure(), PictureMeasure(mirrored=True)


def photo(seed: int = 1, height: int = 240, width: int = 320) -> np.ndarray:
    """Blobs of colour with some texture: no two seeds look alike."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (height, width, 3)).astype(np.float32)
    coarse, fine = cv2.GaussianBlur(noise, (0, 0), 24), cv2.GaussianBlur(noise, (0, 0), 3)
    mixed = 120 + 45 * coarse / coarse.std() + 10 * fine / fine.std()
    return np.clip(mixed, 0, 255).astype(np.uint8)


def drawing(shift: int = 0, shape: str = "disc") -> np.ndarray:
    """A dark shape with a red bar on white, a margin around it."""
    page = np.full((200, 200, 3), 255, np.uint8)
    if shape == "disc":
        cv2.circle(page, (100 + shift, 100), 50, (40, 40, 60), -1)
    else:
        cv2.rectangle(page, (60 + shift, 60), (150 + shift, 140), (40, 40, 60), -1)
    cv2.rectangle(page, (80 + shift, 90), (90 + shift, 150), (230, 20, 30), -1)
    return page


def apart(one: np.ndarray, other: np.ndarray, measure: PictureMeasure = PLAIN) -> float:
    details = [measure.signature_of(pixels).detail for pixels in (one, other)]
    assert measure.distance(*details) == measure.distance(*reversed(details))
    return measure.distance(*details)


def near(one: np.ndarray, other: np.ndarray, measure: PictureMeasure = PLAIN) -> float:
    """Squared distance of the first views, as a share of that of unrelated ones."""
    first, second = (measure.signature_of(p).embeddings[0].astype(np.float64) for p in (one, other))
    return float(((first - second) ** 2).sum() / ((first**2).sum() + (second**2).sum()))


def jpeg(pixels: np.ndarray, quality: int = 30) -> np.ndarray:
    value: Any = ImageCodec().decode(ImageCodec(format="jpeg", quality=quality).encode(ImageValue(pixels), "png")).value
    return value.pixels


CHANGES = {
    "half": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "double": lambda p: cv2.resize(p, None, fx=2, fy=2),
    "squeezed": lambda p: cv2.resize(p, (200, 240), interpolation=cv2.INTER_AREA),
    "jpeg": jpeg,
    "centre": lambda p: p[6:-6, 8:-8],
    "corner": lambda p: p[12:, 16:],
    "one side": lambda p: p[:, 16:],
    "tenth": lambda p: p[12:-12, 16:-16],
    "darker": lambda p: np.rint(p * 0.7).astype(np.uint8),
    "brighter, clipped": lambda p: np.clip(p * 1.3, 0, 255).astype(np.uint8),
    "gamma": lambda p: np.rint(255 * (p / 255) ** 1.5).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("picture", [photo(), drawing()], ids=["photo", "drawing"])
def test_changed_copies_are_alike(picture: np.ndarray, change: str) -> None:
    changed = np.ascontiguousarray(CHANGES[change](picture))
    assert apart(picture, changed) <= 0.8 * PLAIN.threshold
    assert near(picture, changed) < 0.7


def test_the_very_same_is_at_zero() -> None:
    assert apart(photo(), photo()) == 0
    assert near(photo(), photo()) == 0


def test_two_crops_of_one_picture_are_alike_although_neither_holds_the_other() -> None:
    assert apart(photo()[:, 14:], photo()[:, :-14]) <= PLAIN.threshold


@pytest.mark.parametrize("seed", range(2, 12))
def test_others_are_not(seed: int) -> None:
    assert apart(photo(), photo(seed)) > 1.5 * PLAIN.threshold


def test_another_shape_colour_or_mark_is_another_drawing() -> None:
    blue = drawing()[..., ::-1]
    assert apart(drawing(), drawing(shape="square")) > PLAIN.threshold
    assert apart(drawing(), np.ascontiguousarray(blue)) > PLAIN.threshold
    marked = drawing()
    cv2.circle(marked, (160, 40), 14, (0, 0, 0), -1)
    assert apart(drawing(), marked) > PLAIN.threshold


def test_a_part_without_contrast_is_not_like_everything() -> None:
    """One picture, nearly all black, once matched the black corner of another."""
    one, other = photo(height=256, width=256), np.zeros((256, 256, 3), np.uint8)
    one[200:, 180:] = 0
    other[:50, :60] = 90
    assert apart(one, other) > 2 * PLAIN.threshold


def test_mirror_images_are_alike_only_if_asked() -> None:
    flipped = np.ascontiguousarray(photo()[:, ::-1])
    assert apart(photo(), flipped) > PLAIN.threshold
    assert apart(photo(), flipped, MIRRORED) == 0
    assert near(photo(), flipped, MIRRORED) < 0.01 < 0.5 < near(photo(), flipped)
    assert near(photo(), photo(4), MIRRORED) > 0.3
    assert apart(photo(), np.ascontiguousarray(flipped[12:, 16:]), MIRRORED) <= PLAIN.threshold


def test_margins_of_one_colour_do_not_move_the_second_view() -> None:
    views = [PLAIN.signature_of(p).embeddings[1].astype(int) for p in (drawing(), drawing()[20:, 20:])]
    assert views[0].any()
    assert ((views[0] - views[1]) ** 2).sum() < 0.02 * (views[0] ** 2).sum()
    assert not PLAIN.signature_of(photo()).embeddings[1].any()


def test_what_is_overexposed_is_found_by_the_third_view() -> None:
    pale = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(pale, (120, 110), 70, (210, 215, 220), -1)
    cv2.rectangle(pale, (60, 60), (90, 150), (90, 60, 40), -1)
    first, second = (PLAIN.signature_of(p).embeddings.astype(int) for p in (pale, CHANGES["brighter, clipped"](pale)))
    assert ((first[2] - second[0]) ** 2).sum() < 0.05 * (second[0] ** 2).sum() < ((first[0] - second[0]) ** 2).sum()
    assert not PLAIN.signature_of(photo(1) // 2).embeddings[2].any()


def test_shapes_and_sizes_of_a_signature() -> None:
    signature = PLAIN.signature_of(photo())
    assert (signature.embeddings.shape, signature.embeddings.dtype) == ((3, 640), np.int8)
    assert len(signature.detail) == DETAIL
    assert not len(signature.bands)


def test_products_of_embeddings_stay_exact_in_float32() -> None:
    for picture in (photo(), drawing(), np.eye(64, dtype=np.uint8)[..., np.newaxis] * 255):
        for view in PLAIN.signature_of(picture).embeddings.astype(np.int64):
            assert 4 * (view**2).sum() < 2**24


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (8, 8)])
def test_tiny_and_thin_pictures(size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, size[0] * size[1] * 3).astype(np.uint8).reshape(*size, 3)
    assert apart(ramp, ramp) == 0
    assert 0 <= apart(ramp, photo()) <= 1


def test_blank_pictures_have_no_view_and_are_alike_by_colour_alone() -> None:
    white, nearly, black = (np.full((50, 70, 3), level, np.uint8) for level in (255, 254, 0))
    assert not PLAIN.signature_of(white).embeddings.any()
    assert apart(white, white) == 0
    assert apart(white, nearly) <= PLAIN.threshold < apart(white, black)
    assert apart(white, photo()) == 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels: int) -> None:
    grey = photo()[..., :1]
    pixels = np.repeat(grey, channels, axis=2)
    pixels[..., 3:] = 255
    assert apart(np.ascontiguousarray(pixels), grey) == 0


def test_payloads_are_decoded_upright_and_damage_is_a_codec_error() -> None:
    payload = ImageCodec(format="png").encode(ImageValue(photo()), "png")
    assert PLAIN.signature(payload).detail == PLAIN.signature_of(photo()).detail
    grey = PictureMeasure(codec=ImageCodec(mode="grey")).signature(payload)
    assert PLAIN.distance(grey.detail, PLAIN.signature(payload).detail) > 0
    with pytest.raises(CodecError):
        PLAIN.signature(payload[:100])


SCRIPT = """
import hashlib, sys
sys.path[:0] = ["tests/support", "tests/modalities/similarity"]
from test_similarity_images import MIRRORED, PLAIN, drawing, photo
parts = [m.signature_of(p) for m in (PLAIN, MIRRORED) for p in (photo(), photo(3), drawing(), drawing(5, "square"))]
joined = b"".join(s.embeddings.tobytes() + s.detail for s in parts)
distances = [PLAIN.distance(a.detail, b.detail) for a in parts for b in parts]
print(hashlib.sha256(joined + repr(distances).encode()).hexdigest())
"""


def test_the_same_in_another_process() -> None:
    def digest(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True, timeout=120
        )
        return done.stdout

    assert digest("1") == digest("2") != ""
