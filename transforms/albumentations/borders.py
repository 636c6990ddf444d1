"""Labels where a class fills new ground with the mirrored picture: they stay with the object itself, each once.

The library copies boxes and points into the border as often as their objects are shown there, up to dozens of times,
each copy under the number of the same entry. Here boxes, points and masks of instances are moved as if new ground were
empty. Masks of class numbers are mirrored with the picture: they say what is to be seen, not which object it is.
"""

from collections.abc import Mapping
from typing import Any

from transforms.albumentations import library
from transforms.values import ImageValue

Arrays = Mapping[str, Any]


def steady(name: str, params: Mapping[str, Any], step: Any) -> Any | None:
    """The same class with empty new ground; None for a class, or a setting, that fills it with nothing else."""
    if not getattr(step, "border_mode", 0):
        return None
    return library.construct(name, {**params, "border_mode": 0})


def parted(plain: Any | None, labels: Arrays, value: ImageValue) -> tuple[Arrays, Arrays]:
    """Labels that the class itself moves, and those that `moved` does."""
    if plain is None:
        return labels, {}
    mirrored = ("mask", "masks") if value.mask_rows is None else ()
    own = {key: label for key, label in labels.items() if key in mirrored}
    return own, {key: label for key, label in labels.items() if key not in own}


def moved(plain: Any | None, drawn: Arrays, labels: Arrays) -> dict[str, Any]:
    """The labels after the draw, with empty new ground."""
    found: dict[str, Any] = {} if plain is None else plain.apply_with_params(dict(drawn), **labels)
    return found
