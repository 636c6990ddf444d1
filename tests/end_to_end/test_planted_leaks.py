"""A small version of scripts/planted_leaks.py: the shares that docs/leaks.md promises."""

import sys
from pathlib import Path

import pytest
from debian_files import unpacked

sys.path.insert(0, str(Path(__file__).parents[2]))
from scripts.planted_leaks import long_texts, picture_trial, sheet, sound_trial, text_trial
from scripts.planting.changes import MIRRORED, PICTURES, SOUNDS, TEXTS, Change, words_changed
from scripts.planting.material import drawings, photo_crops, texts
from scripts.planting.separated import separated
from scripts.planting.trial import Found, Trial, natural, planted

pytestmark = pytest.mark.slow
EXACT = {"copy", "resize 0.5", "resize 2", "resize 0.5–2", "JPEG q30"}


def found(trial: Trial, changes: dict[str, Change]) -> dict[str, Found]:
    signed = trial.signed()
    return {kind: planted(trial, signed, kind, change) for kind, change in changes.items()}


def recall(trial: Trial, one: Found) -> float:
    return one.by_threshold[trial.thresholds.index(trial.measure.threshold)]


def alarms(trial: Trial) -> float:
    """Natural pairs that are taken for near duplicates, as a share of all pairs."""
    alike = [distance for distance in natural(trial, trial.signed()).values() if distance <= trial.measure.threshold]
    count = len(trial.payloads)
    return len(alike) / (count * (count - 1) / 2)


def test_photos() -> None:
    trial = picture_trial("photos", photo_crops())
    for kind, one in found(trial, PICTURES).items():
        assert recall(trial, one) >= (0.99 if kind in EXACT else 0.97), one
    assert alarms(trial) < 1e-5
    mirrored = picture_trial("photos", photo_crops(), mirrored=True)
    assert recall(mirrored, found(mirrored, MIRRORED)["flip"]) >= 0.99


def test_a_split_keeps_planted_copies_of_photos_with_their_sources() -> None:
    for trial, changes in (
        (picture_trial("photos", photo_crops()), PICTURES),
        (picture_trial("photos", photo_crops(), mirrored=True), MIRRORED),
    ):
        for kind, (planted_, apart, elsewhere) in separated(trial, changes).items():
            assert planted_ == 200
            assert elsewhere <= apart <= (0 if kind in {*EXACT, "flip"} else 4), kind


def test_drawings() -> None:
    pictures = drawings(unpacked("openclipart", "openclipart-png"), 400)
    trial = picture_trial("drawings", pictures)
    for kind, one in found(trial, PICTURES).items():
        assert one.joined >= {"brightness 1.3": 0.8}.get(kind, 0.95), one
    shown = sheet(pictures, natural(trial, trial.signed()))
    assert shown.shape[2] == 3


def test_texts() -> None:
    trial = text_trial(texts(unpacked("fortunes", "fortunes", "fortunes-min", "fortunes-de", "fortunes-es"), 4000))
    for one in found(trial, TEXTS).values():
        assert recall(trial, one) >= 0.99, one
    places = long_texts(list(trial.payloads))
    changed = planted(trial, trial.signed(), "one word in ten", words_changed(list(trial.payloads)), places)
    assert recall(trial, changed) >= 0.97, changed
    assert alarms(trial) < 1e-5


def test_sounds() -> None:
    trial = sound_trial(unpacked("sonic-pi-samples", "sonic-pi-samples"))
    for one in found(trial, SOUNDS).values():
        assert recall(trial, one) >= 0.97, one
    assert alarms(trial) < 2e-3
