"""What a config may say but hardly means: steps that do little, labels that stay behind, fields that draw apart."""

from pipeline.config.schema import JobConfig
from pipeline.planning.checks.images import picture_notes
from pipeline.planning.checks.mirrored_labels import mirror_notes
from pipeline.planning.checks.same_draws import apart_notes
from pipeline.sources import Listing
from pipeline.sources.inspection.label_columns.unbound import unbound_warnings
from pipeline.sources.inspection.payload_samples import decoding
from transforms.recipe import build_recipe


def warnings_of(config: JobConfig, listing: Listing) -> list[str]:
    """What is allowed but likely not meant: in the recipes, and beside the columns that they move."""
    of_config = [*recipe_warnings(config), *apart_notes(config)]
    if not decoding():
        return of_config
    return [*of_config, *unbound_warnings(config, listing), *picture_notes(config, listing)]


def recipe_warnings(config: JobConfig) -> list[str]:
    """What is allowed but likely not meant in the recipes alone."""
    warnings = []
    for name, field in config.fields.items():
        warnings += [
            f"fields.{name}.prepare: {leaf.name} has p={leaf.probability:g}, so it changes only that share of "
            "the records; give it p: 1 to prepare all of them alike"
            for leaf in build_recipe(field.prepare, field.type).leaves()
            if leaf.probability < 1
        ]
        if not field.augment and config.most_copies:
            warnings.append(f"fields.{name} has no augment steps: its copies repeat the original")
    return [*warnings, *mirror_notes(config)]
