"""Beam's own options, as somebody types them, by name."""

from collections.abc import Sequence
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.errors import UsageError, nearest


def read_options(arguments: Sequence[str], drop_default: bool) -> dict[str, Any]:
    """Beam's options by name. Raises UsageError for one that no Beam class knows."""
    try:
        known = set(PipelineOptions([]).get_all_options())
        options = PipelineOptions(list(arguments))
        found: dict[str, Any] = options.get_all_options(drop_default=drop_default, retain_unknown_options=True)
    except SystemExit as error:
        raise UsageError(f"Beam cannot read these options: {' '.join(arguments)}") from error
    unknown = sorted(set(found) - known)
    if unknown:
        hint = nearest(unknown[0], sorted(known))
        raise UsageError(f"unknown option --{unknown[0]}. {hint} `fanbeam run --help` lists fanbeam's own options.")
    return found
