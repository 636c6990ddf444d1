"""Print which planted leaks are found, and how many natural pairs are taken for leaks, by kind and threshold.

apt-get download PACKAGES; dpkg -x each into DIR (scripts/planting/material.py lists them); then
python scripts/planted_leaks.py DIR [SHEET.png]     (SHEET: the closest natural look-alikes among drawings)
python scripts/planted_leaks.py DIR split           (split originals and copies together: what is kept apart)
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.similarity.audio import SoundMeasure
from pipeline.modalities.similarity.images import PictureMeasure
from pipeline.modalities.similarity.text import TextMeasure
from scripts.planting.changes import MIRRORED, PICTURES, SOUNDS, TEXTS, Change, words_changed
from scripts.planting.material import Pixels, drawings, photo_crops, sounds, texts
from scripts.planting.separated import separated
from scripts.planting.trial import Found, Pairs, Trial, natural, planted
from transforms.values import ImageValue

PICTURE_LIMITS = (0.2, 0.25, 0.3, 0.35, 0.4)
CELL, CAPTION, COLUMNS, MOST = 110, 14, 6, 60


def picture_trial(name: str, pictures: list[Pixels], mirrored: bool = False) -> Trial:
    measure = PictureMeasure(mirrored)
    return Trial(name, pictures, measure, measure.signature_of, PICTURE_LIMITS)


def text_trial(found: list[str]) -> Trial:
    measure = TextMeasure()
    return Trial("texts", found, measure, measure.signature, (0.05, 0.1, 0.15, 0.2, 0.25))


def sound_trial(folder: Path) -> Trial:
    measure = SoundMeasure()
    limits = (0.1, 0.15, 0.2, 0.25, 0.3)
    return Trial("sounds", sounds(folder), measure, lambda s: measure.signature_of(s.samples, s.sample_rate), limits)


def long_texts(found: list[str]) -> list[int]:
    """Places of texts of ten words and more."""
    return [place for place, text in enumerate(found) if sum(any(map(str.isalpha, w)) for w in text.split()) >= 10]


def table(trial: Trial, changes: dict[str, Change]) -> Pairs:
    """Print one trial; distances of its natural candidates."""
    signed = trial.signed()
    limits = " | ".join(f"≤ {limit:g}" for limit in trial.thresholds)
    print(f"\n### {trial.name}: {len(signed)}\n\n| planted | proposed | {limits} | joined |")
    print("|---" * (len(trial.thresholds) + 3) + "|")
    for kind, change in changes.items():
        print(_row(planted(trial, signed, kind, change)), flush=True)
    if trial.name == "texts":
        places = long_texts(list(trial.payloads))
        print(_row(planted(trial, signed, "one word in ten", words_changed(list(trial.payloads)), places)))
    alike = natural(trial, signed)
    counts = [sum(distance <= limit for distance in alike.values()) for limit in trial.thresholds]
    everything = len(signed) * (len(signed) - 1) / 2
    shares = " | ".join(f"{count} ({count / everything:.0e})" for count in counts)
    print(f"| natural pairs | {len(alike)} | {shares} | |", flush=True)
    return alike


def split_table(trials: list[tuple[Trial, dict[str, Change]]]) -> None:
    """Print what a split of originals and copies together keeps apart."""
    print("\n| set | planted | copies | no relatives of their source | in another split |\n|---|---|---|---|---|")
    for trial, changes in trials:
        for kind, numbers in separated(trial, changes).items():
            print(f"| {trial.name} | {kind} | {' | '.join(map(str, numbers))} |", flush=True)


def _row(found: Found) -> str:
    shares = " | ".join(f"{share:.3f}" for share in found.by_threshold)
    return f"| {found.kind} ({found.planted}) | {found.proposed:.3f} | {shares} | {found.joined:.3f} |"


def sheet(pictures: list[Pixels], alike: Pairs) -> Pixels:
    """Natural pairs up to a distance of 0.4, evenly over their ranks, closest first."""
    ranked = sorted((distance, *pair) for pair, distance in alike.items() if distance <= 0.4)
    shown = ranked[:: max(1, len(ranked) // MOST)][:MOST]
    cells = [_cell(pictures[one], pictures[other], distance) for distance, one, other in shown]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    whole: Pixels = np.vstack(list(_rows(cells)))
    return whole


def _rows(cells: list[Pixels]) -> Iterator[Pixels]:
    for start in range(0, len(cells), COLUMNS):
        yield np.hstack(cells[start : start + COLUMNS])


def _cell(one: Pixels, other: Pixels, distance: float) -> Pixels:
    both = np.hstack([cv2.resize(each, (CELL, CELL), interpolation=cv2.INTER_AREA) for each in (one, other)])
    caption = np.full((CAPTION, 2 * CELL, 3), 255, np.uint8)
    cv2.putText(caption, f"{distance:.2f}", (2, CAPTION - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0))
    cell: Pixels = cv2.copyMakeBorder(np.vstack([both, caption]), 0, 0, 0, 4, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return cell


def main(folder: Path, picture: Path | None) -> None:
    crops, drawn = photo_crops(), drawings(folder, 5000)
    if picture is not None and picture.name == "split":
        split_table(
            [
                (picture_trial("photos", crops), PICTURES),
                (picture_trial("photos, mirror images alike", crops, mirrored=True), MIRRORED),
                (text_trial(texts(folder, 20_000)), TEXTS),
                (sound_trial(folder), SOUNDS),
                (picture_trial("drawings", drawn), PICTURES),
            ]
        )
        return
    table(picture_trial("photos", crops), PICTURES)
    table(picture_trial("photos, mirror images alike", crops, mirrored=True), MIRRORED)
    alike = table(picture_trial("drawings", drawn), PICTURES)
    if picture:
        picture.write_bytes(ImageCodec(format="png").encode(ImageValue(sheet(drawn, alike)), "png"))
    table(picture_trial("drawings, mirror images alike", drawn, mirrored=True), MIRRORED)
    table(text_trial(texts(folder, 20_000)), TEXTS)
    table(sound_trial(folder), SOUNDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
