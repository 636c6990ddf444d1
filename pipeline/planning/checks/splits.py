"""What is wrong with the split of a config once it has met its input."""

from collections.abc import Iterator

from pipeline.config.loader import ConfigText
from pipeline.config.schema import JobConfig
from pipeline.errors import Problem, nearest
from pipeline.planning.fingerprint import missing_for


def split_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Classes that nothing names, fields that there are not, packages that are missing."""
    if config.split.stratified and config.input.label is None:
        message = "classes can only keep their shares if input.label names the column of the class."
        yield Problem(text.where(("split", "by")), message, "Give input.label, or another way to split.")
    where = text.where(("split", "keep_together", "near_duplicates"))
    for name in config.near_duplicates:
        if name not in config.fields:
            known = nearest(name, list(config.fields))
            yield Problem(where, f"near_duplicates: there is no field {name!r}.", known)
    asked = [config.fields[name].type for name in config.near_duplicates if name in config.fields]
    missing = sorted({name for modality in asked for name in missing_for(modality)})
    if missing:
        yield Problem(where, f"near duplicates need {' and '.join(missing)}: pip install {' '.join(missing)}.")
