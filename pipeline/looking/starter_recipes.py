"""Sensible first recipes: for each modality the lines of a field's config, gentler for small or short payload."""

from collections.abc import Callable

from pipeline.looking.findings import FieldFound, Modality, Payloads
from pipeline.looking.image_data_generator import Translation

_SMALL_SIDE = 64
_LARGE_SIDE = 640
_SHORT_SECONDS = 0.25
_FEW_WORDS = 4.0
_EDGES = "    # border_mode 4 mirrors the edges; without it, uncovered corners are black"


def recipe_lines(field: FieldFound) -> list[str]:
    """YAML lines below `type:`, without indentation of their own level."""
    return _RECIPES[field.modality](field.payloads)


def generator_lines(generator: Translation, field: FieldFound) -> list[str]:
    """YAML lines below `type:` that do what an ImageDataGenerator did."""
    left = [f"# left to the training code: {note}" for note in generator.left]
    begin = "augment:                  # what ImageDataGenerator did to copies of training records"
    steps = [f"  {line}" for line in generator.steps]
    return [*left, *_grey(field.payloads), *([begin, *steps] if steps else ["augment: []               # nothing"])]


def _grey(seen: Payloads) -> list[str]:
    return ["mode: grey                # all pictures looked at are grey"] if seen.grey else []


def _image(seen: Payloads) -> list[str]:
    lines = [*_grey(seen), *_window(seen)]
    lines += (
        ["# mode: rgba              # keep transparency; without it, pictures are laid on white"] if seen.alpha else []
    )
    if seen.largest > _LARGE_SIDE:
        lines += ["# prepare:                # every sample of every split; smaller files, faster runs"]
        lines += ["#   - albumentations.SmallestMaxSize: {max_size: 512}"]
    lines += ["augment:                  # copies of training records only", *_image_steps(seen)]
    return [*lines, "quality: {reject_identical: true}   # a copy with the very pixels of its original is drawn again"]


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
    return [f"# {told}", f"window: [{low:g}, {high:g}]     # black and white of ALL pictures: set it to what is true"]


def _image_steps(seen: Payloads) -> list[str]:
    flip = "  - albumentations.HorizontalFlip   # not where left and right matter: digits, letters, signs"
    if 0 < seen.typical < _SMALL_SIDE:
        return [
            flip,
            "  - albumentations.Affine: {translate_percent: [-0.08, 0.08], rotate: [-8, 8], border_mode: 4, p: 0.7}",
            _EDGES,
            "  - albumentations.RandomBrightnessContrast: {brightness_limit: 0.15, contrast_limit: 0.15, p: 0.7}",
        ]
    return [
        flip,
        "  - albumentations.Affine: {scale: [0.85, 1.15], keep_ratio: true, rotate: [-15, 15], border_mode: 4, p: 0.7}",
        _EDGES,
        "  - albumentations.RandomBrightnessContrast: {p: 0.7}",
        "  - albumentations.GaussianBlur: {p: 0.2}",
        "  # - albumentations.RandomResizedCrop: {size: [224, 224], scale: [0.6, 1.0], p: 1}   # one size for all",
        "  # - albumentations.CoarseDropout: {p: 0.3}",
    ]


def _audio(seen: Payloads) -> list[str]:
    lines = ["peaks: normalize          # float samples go beyond full scale (1.0)"] if seen.loud else []
    lines += [
        "augment:                  # copies of training records only",
        "  - audiomentations.Gain: {min_gain_db: -6, max_gain_db: 6, p: 0.5}",
        "  - audiomentations.AddGaussianNoise: {min_amplitude: 0.001, max_amplitude: 0.01, p: 0.7}",
    ]
    if seen.seen and seen.smallest < _SHORT_SECONDS:
        lines += ["  # - audiomentations.PitchShift: {p: 0.3}   # some sounds are too short for it"]
    else:
        lines += [
            "  - audiomentations.PitchShift: {min_semitones: -2, max_semitones: 2, p: 0.3}",
            "  # changes the length, so that nothing is cut; leave_length_unchanged: true cuts what is slower",
            "  - audiomentations.TimeStretch: {min_rate: 0.9, max_rate: 1.1, leave_length_unchanged: false, p: 0.3}",
        ]
    lines += ["  # - audiomentations.Shift: {p: 0.5}"]
    return [*lines, "quality: {reject_identical: true}   # a copy with the very samples of its original is drawn again"]


def _text(seen: Payloads) -> list[str]:
    lines = ["augment:                  # copies of training records only", "  - one_of:"]
    if seen.words < _FEW_WORDS:
        lines += ["      - nlpaug.RandomCharAug: {action: swap}", "      - nlpaug.RandomCharAug: {action: delete}"]
    else:
        lines += ["      - nlpaug.RandomWordAug: {action: swap, aug_p: 0.1}"]
        lines += ["      - nlpaug.RandomWordAug: {action: delete, aug_p: 0.1}"]
        typing = "- nlpaug.KeyboardAug: {aug_word_p: 0.1, aug_char_p: 0.2}"
        lines += [f"      {typing}" if seen.latin else f"      # {typing}   # knows Latin keyboards"]
    lines += ["  # - nlpaug.SynonymAug: {aug_p: 0.2}   # English; see: fanbeam transforms nlpaug.SynonymAug"]
    unchanged = "" if seen.words < _FEW_WORDS or seen.short else ", reject_unchanged: true"
    return [*lines, f"quality: {{reject_empty: true{unchanged}}}"]


def _video(seen: Payloads) -> list[str]:
    lines = []
    if seen.largest > _LARGE_SIDE:
        lines += ["prepare:                  # every sample of every split: all frames of a clip are in memory at once"]
        lines += ["  - albumentations.SmallestMaxSize: {max_size: 256, p: 1}"]
    return [
        *lines,
        "augment:                  # copies of training records only; all frames of a clip are treated alike",
        "  - albumentations.HorizontalFlip   # not where left and right matter: signs, letters",
        "  - albumentations.RandomBrightnessContrast: {p: 0.7}",
        "  - albumentations.Affine: {scale: [0.9, 1.1], keep_ratio: true, rotate: [-8, 8], border_mode: 4, p: 0.5}",
        "  - video.Speed: {factor: [0.8, 1.25], p: 0.5}",
        "  # - vidaug.TemporalRandomCrop: {size: 32}   # frames",
        "quality: {reject_identical: true}   # a copy with the very frames of its original is drawn again",
    ]


def _volume(seen: Payloads) -> list[str]:
    flat = all(form.endswith("uint8") for form in seen.formats)
    lines = [] if flat else ["# window: [-1000, 400]    # what steps see as 0..1; without it, each volume's range"]
    return [
        *lines,
        "augment:                  # copies of training records only",
        "  - albumentations.HorizontalFlip   # the same for all slices; not where left and right matter",
        "  - albumentations.Affine: {scale: [0.9, 1.1], keep_ratio: true, rotate: [-10, 10], border_mode: 4, p: 0.7}",
        _EDGES,
        "  - albumentations.RandomBrightnessContrast: {p: 0.5}",
        "  - albumentations.CoarseDropout3D: {num_holes_range: [1, 3], p: 0.3}",
        "  # - albumentations.CubicSymmetry   # where all three axes are alike; turns the sides with the content",
        "  # - albumentations.RandomCrop3D: {size: [16, 64, 64], pad_if_needed: true, p: 1}   # one size for all",
        "quality: {reject_identical: true}   # a copy with the very voxels of its original is drawn again",
    ]


_RECIPES: dict[Modality, Callable[[Payloads], list[str]]] = {
    "image": _image,
    "audio": _audio,
    "text": _text,
    "video": _video,
    "volume": _volume,
}
