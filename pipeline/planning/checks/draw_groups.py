"""Fields that belong together and draw together: two views of one scene, noisy and clean sound, colour and depth."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config.loader import ConfigText
    from pipeline.config.schema import JobConfig
    from pipeline.errors import Problem


def draw_problems(config: "JobConfig", text: "ConfigText") -> "Iterator[Problem]":
    """Why fields cannot draw together; only where some do, for it tries their steps."""
    if config.draw_groups:
        from pipeline.planning.checks.same_draws import same_draw_problems

        yield from same_draw_problems(config, text)
