"""Sensible first recipes: for each modality the lines of a field's config, gentler for small or short payload."""

import re
from collections.abc import Callable

from pipeline.cli.init.keras_generator import Translation
from pipeline.cli.init.starter_steps import StarterStep, any_active, augment_lines
from pipeline.sources.inspection.findings import FieldFound, Modality, Payloads

_SMALL_SIDE = 64
_LARGE_SIDE = 640
_SHORT_SECONDS = 0.25
_FEW_WORDS = 4.0
_EDGES = "border_mode 4 mirrors the edges; without it, uncovered corners are black"
_FLIP = StarterStep(
    "albumentations.HorizontalFlip", "not where left and right matter: digits, letters, signs", moves="place"
)
_MOVING_LINE = re.compile(r"- (?:albumentations\.(?:Affine|HorizontalFlip|VerticalFlip)|one_of)\b")


def recipe_lines(field: FieldFound) -> list[str]:
    """YAML lines below `type:`, without indentation of their own level."""
    before, steps, quality = _RECIPES[field.modality](field.payloads)
    return [*before, *augment_lines(steps, field), *(quality if any_active(steps, field) else [])]


def makes_copies(field: FieldFound) -> bool:
    """Whether the recipe of a field has a step that is active."""
    return any_active(_RECIPES[field.modality](field.payloads)[1], field)


def generator_lines(generator: Translation, field: FieldFound) -> list[str]:
    """YAML lines below `type:` that do what an ImageDataGenerator did."""
    left = [f"# left to the training code: {note}" for note in generator.left]
    told = "what ImageDataGenerator did to copies of training records"
    steps = list(_generator_steps(generator))
    lines = augment_lines(steps, field, told) if steps else ["augment: []               # nothing"]
    return [*left, *_grey(field.payloads), *lines]


def _generator_steps(generator: Translation) -> list[StarterStep]:
    """Its lines as steps; those of a group belong to it."""
    steps: list[StarterStep] = []
    for line in generator.steps:
        if line.startswith(" "):
            group = steps.pop()
            steps.append(StarterStep(group.text, moves=group.moves, nested=(*group.nested, line[2:])))
        else:
            steps.append(StarterStep(line[2:], moves="place" if _MOVING_LINE.match(line) else ""))
    return steps


def _grey(seen: Payloads) -> list[str]:
    return ["mode: grey                # all pictures looked at are grey"] if seen.grey else []


def _image(seen: Payloads) -> "_Recipe":
    lines = [*_grey(seen), *_window(seen), *_originals(seen)]
    lines += (
        ["# mode: rgba              # keep transparency; without it, pictures are laid on white"] if seen.alpha else []
    )
    if seen.largest > _LARGE_SIDE:
        lines += ["# prepare:                # every sample of every split; smaller files, faster runs"]
        lines += ["#   - albumentations.SmallestMaxSize: {max_size: 512}"]
    quality = "quality: {reject_identical: true}   # a copy with the very pixels of its original is drawn again"
    return lines, _image_steps(seen), [quality]


def _originals(seen: Payloads) -> list[str]:
    if not seen.unlike:
        return []
    told = f"originals keep their own bytes; in those looked at there are, unlike in copies: {', '.join(seen.unlike)}"
    return [f"# {told}", "# originals: decoded      # writes originals and held-out samples as copies are written"]


def _window(seen: Payloads) -> list[str]:
    """Which values are black and white, where pictures have more than the 8 bits that steps see."""
    if not seen.deep:
        return []
    low, high = seen.levels
    told = f"{seen.deep} values from {low:g} to {high:g} in the pictures looked at; steps see 256 levels of them"
    if seen.deep == "uint16":
        high = next(2.0**bits - 1 for bits in (9, 10, 12, 14, 16) if high < 2**bits)
        low = 0.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    stay = "# all of them stay with type: volume instead, without mode and originals"
    return [
        f"# {told}",
        stay,
        f"window: [{low:g}, {high:g}]     # black and white of ALL pictures: set it to what is true",
    ]


def _image_steps(seen: Payloads) -> list[StarterStep]:
    if 0 < seen.typical < _SMALL_SIDE:
        affine = "{translate_percent: [-0.08, 0.08], rotate: [-8, 8], border_mode: 4, p: 0.7}"
        light = "{brightness_limit: 0.15, contrast_limit: 0.15, p: 0.7}"
        return [
            _FLIP,
            StarterStep(f"albumentations.Affine: {affine}", _EDGES, moves="place"),
            StarterStep(f"albumentations.RandomBrightnessContrast: {light}"),
        ]
    affine = "{scale: [0.85, 1.15], keep_ratio: true, rotate: [-15, 15], border_mode: 4, p: 0.7}"
    crop = "{size: [224, 224], scale: [0.6, 1.0], p: 1}"
    return [
        _FLIP,
        StarterStep(f"albumentations.Affine: {affine}", _EDGES, moves="place"),
        StarterStep("albumentations.RandomBrightnessContrast: {p: 0.7}"),
        StarterStep("albumentations.GaussianBlur: {p: 0.2}"),
        StarterStep(f"albumentations.RandomResizedCrop: {crop}", "one size for all", moves="place", active=False),
        StarterStep("albumentations.CoarseDropout: {p: 0.3}", active=False),
    ]


def _audio(seen: Payloads) -> "_Recipe":
    lines = ["peaks: normalize          # float samples go beyond full scale (1.0)"] if seen.loud else []
    steps = [
        StarterStep("audiomentations.Gain: {min_gain_db: -6, max_gain_db: 6, p: 0.5}"),
        StarterStep("audiomentations.AddGaussianNoise: {min_amplitude: 0.001, max_amplitude: 0.01, p: 0.7}"),
    ]
    if seen.seen and seen.smallest < _SHORT_SECONDS:
        steps += [StarterStep("audiomentations.PitchShift: {p: 0.3}", "some sounds are too short for it", active=False)]
    else:
        stretch = "{min_rate: 0.9, max_rate: 1.1, leave_length_unchanged: false, p: 0.3}"
        told = "changes the length, so that nothing is cut; leave_length_unchanged: true cuts what is slower"
        steps += [
            StarterStep("audiomentations.PitchShift: {min_semitones: -2, max_semitones: 2, p: 0.3}"),
            StarterStep(f"audiomentations.TimeStretch: {stretch}", told, moves="time"),
        ]
    steps += [StarterStep("audiomentations.Shift: {p: 0.5}", moves="time", active=False)]
    quality = "quality: {reject_identical: true}   # a copy with the very samples of its original is drawn again"
    return lines, steps, [quality]


def _text(seen: Payloads) -> "_Recipe":
    if seen.words < _FEW_WORDS:
        nested = ["- nlpaug.RandomCharAug: {action: swap}", "- nlpaug.RandomCharAug: {action: delete}"]
    else:
        nested = ["- nlpaug.RandomWordAug: {action: swap, aug_p: 0.1}"]
        nested += ["- nlpaug.RandomWordAug: {action: delete, aug_p: 0.1}"]
        typing = "- nlpaug.KeyboardAug: {aug_word_p: 0.1, aug_char_p: 0.2}"
        nested += [typing if seen.latin else f"# {typing}   # knows Latin keyboards"]
    synonyms = "English; see: fanbeam transforms nlpaug.SynonymAug"
    steps = [
        StarterStep("one_of:", moves="words", nested=tuple(f"  {line}" for line in nested)),
        StarterStep("nlpaug.SynonymAug: {aug_p: 0.2}", synonyms, moves="words", active=False),
    ]
    unchanged = "" if seen.words < _FEW_WORDS or seen.short else ", reject_unchanged: true"
    return [], steps, [f"quality: {{reject_empty: true{unchanged}}}"]


def _video(seen: Payloads) -> "_Recipe":
    lines = []
    if seen.largest > _LARGE_SIDE:
        lines += ["prepare:                  # every sample of every split: all frames of a clip are in memory at once"]
        lines += ["  - albumentations.SmallestMaxSize: {max_size: 256, p: 1}"]
    affine = "{scale: [0.9, 1.1], keep_ratio: true, rotate: [-8, 8], border_mode: 4, p: 0.5}"
    steps = [
        StarterStep("albumentations.HorizontalFlip", "not where left and right matter: signs, letters", moves="place"),
        StarterStep("albumentations.RandomBrightnessContrast: {p: 0.7}"),
        StarterStep(f"albumentations.Affine: {affine}", moves="place"),
        StarterStep("video.Speed: {factor: [0.8, 1.25], p: 0.5}", moves="time"),
        StarterStep("vidaug.TemporalRandomCrop: {size: 32}", "frames", moves="time", active=False),
    ]
    quality = "quality: {reject_identical: true}   # a copy with the very frames of its original is drawn again"
    return lines, steps, [quality]


def _volume(seen: Payloads) -> "_Recipe":
    flat = all(form.endswith("uint8") for form in seen.formats)
    lines = [] if flat else ["# window: [-1000, 400]    # what steps see as 0..1; without it, each volume's range"]
    affine = "{scale: [0.9, 1.1], keep_ratio: true, rotate: [-10, 10], border_mode: 4, p: 0.7}"
    flip = "the same for all slices; not where left and right matter"
    symmetry = "where all three axes are alike; turns the sides with the content"
    crop = "{size: [16, 64, 64], pad_if_needed: true, p: 1}"
    steps = [
        StarterStep("albumentations.HorizontalFlip", flip, moves="place"),
        StarterStep(f"albumentations.Affine: {affine}", _EDGES, moves="place"),
        StarterStep("albumentations.RandomBrightnessContrast: {p: 0.5}"),
        StarterStep("albumentations.CoarseDropout3D: {num_holes_range: [1, 3], p: 0.3}"),
        StarterStep("albumentations.CubicSymmetry", symmetry, moves="place", active=False),
        StarterStep(f"albumentations.RandomCrop3D: {crop}", "one size for all", moves="place", active=False),
    ]
    quality = "quality: {reject_identical: true}   # a copy with the very voxels of its original is drawn again"
    return lines, steps, [quality]


_Recipe = tuple[list[str], list[StarterStep], list[str]]
"""Lines before `augment`, its steps, and the gate."""
_RECIPES: dict[Modality, Callable[[Payloads], _Recipe]] = {
    "image": _image,
    "audio": _audio,
    "text": _text,
    "video": _video,
    "volume": _volume,
}
