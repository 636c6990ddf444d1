"""A config and its input -> the job: what workers need, and the version that it makes."""

from pipeline.config.schema import JobConfig
from pipeline.planning.class_names import with_numbers
from pipeline.planning.fingerprint import fingerprint
from pipeline.planning.job import Job
from pipeline.planning.label_quantiles import with_edges
from pipeline.planning.shard_mixing import blocks_per_shard
from pipeline.sources import Listing, mixed
from pipeline.storage.folder import Folder


def job_of(config: JobConfig, listing: Listing) -> Job:
    """A config that met its input. Raises InputError where labels decide about bins and cannot be read."""
    config = with_edges(with_numbers(config, listing.schema), listing)
    return Job(
        config=config,
        reader=mixed(listing.reader) if config.output.order == "shuffled" else listing.reader,
        schema=listing.schema,
        external=tuple(n for n, f in config.fields.items() if f.uri or listing.kind == "folder"),
        version=fingerprint(config, listing),
        output=Folder.at(config.output.path),
        blocks_per_shard=blocks_per_shard(sum(unit.rows for unit in listing.units)),
    )
