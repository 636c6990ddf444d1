"""What people should know of an input once it is surveyed: its files, splits, classes, groups, ids and blends."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from pipeline.planning.donors.blends import blend_notes
from pipeline.planning.spelling import class_notes
from pipeline.splitting.diagnostics.number_classes import number_notes
from pipeline.splitting.diagnostics.shares import share_notes

if TYPE_CHECKING:
    from pipeline.driver.run import Surveyed
    from pipeline.planning.copies.counts import Counted


def survey_notes(found: "Surveyed") -> tuple[str, ...]:
    """One line each."""
    of_splits, joined = (found.decision.notes, found.decision.joined) if found.decision else ((), {})
    labels = {label for _, label in found.survey.classes}
    return (
        *found.notes,
        *of_splits,
        *found.survey.notes,
        *class_notes(labels),
        *number_notes(found.job.config, labels, classes_of(found.counted)),
        *share_notes(found.job.config, found.survey.counts(), joined),
        *blend_notes(found.job.config, found.survey.classes),
    )


def classes_of(counted: "Counted | None") -> Collection[str]:
    """The classes that copies were counted out for."""
    return () if counted is None else counted.classes
