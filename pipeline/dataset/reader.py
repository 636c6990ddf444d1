"""Read a committed dataset: manifest, splits, single samples with their lineage."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipeline.config.schema import JobConfig
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import Damaged, InputError
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID
from pipeline.storage.folder import Folder, file_system
from pipeline.storage.layout import LATEST, MANIFEST, RECEIPTS

if TYPE_CHECKING:
    import pyarrow.dataset as pads

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Dataset:
    """One committed version of a dataset.

    Attributes:
        folder: The version's folder.
        manifest: What `manifest.json` says: config, libraries, splits, shards with their digests, what was dropped.
    """

    folder: Folder
    manifest: dict[str, Any]

    @property
    def path(self) -> str:
        """Where the version lies."""
        return self.folder.url

    @property
    def version(self) -> str:
        """Fingerprint that names the version."""
        return str(self.manifest["version"])

    @property
    def splits(self) -> dict[str, "pads.Dataset"]:
        """`train`, `validation`, `test`, as far as they have samples: pyarrow datasets of the files in the manifest."""
        return {split: self._open(split) for split in self.manifest["splits"] if self.files(split)}

    def files(self, split: str) -> list[str]:
        """Paths of a split's files within the version folder, in order."""
        return [s["path"] for s in self.manifest["shards"] if s["split"] == split]

    def columns(self) -> pa.Schema:
        """The columns that the input had, as they are written."""
        schema = next(iter(self.splits.values())).schema
        own = {SAMPLE_ID, LINEAGE, LABEL_WEIGHTS}
        return pa.schema([field for field in schema if field.name not in own])

    def sample(self, sample_id: str) -> dict[str, Any]:
        """One row, lineage included. Raises InputError if there is none of that id."""
        row: dict[str, Any] = self.row(sample_id).to_pylist()[0]
        return row

    def row(self, sample_id: str) -> pa.RecordBatch:
        """One row as Arrow has it. Raises InputError if there is none of that id, Damaged."""
        try:
            for split in self.splits.values():
                rows = split.to_table(filter=pc.field(SAMPLE_ID) == sample_id)
                if rows.num_rows:
                    return rows.slice(0, 1).combine_chunks().to_batches()[0]
        except pa.ArrowException as error:
            message = f"{self.path}: a shard cannot be read: {str(error).splitlines()[0]}. `fanbeam verify` names all"
            raise Damaged(message) from error
        raise InputError(f"{self.path} has no sample {sample_id!r}. {self._examples()}")

    def config(self, input_path: str, output: str) -> JobConfig:
        """The config that the version was made with, reading from `input_path`."""
        tree = dict(self.manifest["config"])
        tree["fields"] = {name: tree["fields"][name] for name in self.manifest["field_order"]}
        tree["input"] = {**tree["input"], "path": input_path}
        tree["output"] = {**tree["output"], "path": output}
        try:
            return JobConfig.model_validate(tree)
        except ValidationError as error:
            raise Damaged(f"{self.folder.full(MANIFEST)}: damaged: its config is not valid") from error

    def _open(self, split: str) -> "pads.Dataset":
        import pyarrow.dataset as pads

        system, root = file_system(self.folder)
        return pads.dataset([f"{root}/{path}" for path in self.files(split)], filesystem=system, format="parquet")

    def _examples(self) -> str:
        for split in self.manifest["splits"]:
            for name in self.files(split)[:1]:
                with self.folder.open(name) as source:
                    first = next(pq.ParquetFile(source).iter_batches(3, columns=[SAMPLE_ID]), None)
                    found = first.column(0).to_pylist() if isinstance(first, pa.RecordBatch) else []
                    return f"Ids look like {', '.join(map(repr, found))}."
        return ""


def open_dataset(path: str) -> Dataset:
    """Open a committed dataset.

    Args:
        path: An output folder, of which the newest version is opened, or a version folder; local or a URL.

    Returns:
        The version: its manifest and splits. Nothing but the manifest is read yet.

    Raises:
        InputError: There is no committed version; the message says what is there instead.
        Damaged: The manifest cannot be read.

    Examples:
        >>> data = open_dataset("out/birds")  # doctest: +SKIP
        >>> data.splits["train"].to_table(columns=["sample_id", "label"])  # doctest: +SKIP
        >>> data.sample("IMG_0042.jpg/3")["lineage"]["transforms"]  # doctest: +SKIP
    """
    folder = Folder.at(path)
    manifest = read_manifest(folder)
    if manifest is not None:
        return Dataset(folder, manifest)
    if not folder.exists():
        raise InputError(f"no such dataset: {path}")
    if folder.exists(LATEST):
        version = folder.read(LATEST).decode(errors="replace").strip()[:_LONGEST_NAME]
        manifest = read_manifest(folder.folder(version))
        if manifest is not None:
            return Dataset(folder.folder(version), manifest)
        raise InputError(f"{path}: LATEST names version {version!r}, which has no {MANIFEST}. Run the job again.")
    unfinished = [name for name in folder.folders() if folder.folder(name).exists(RECEIPTS)]
    hint = f" Version {unfinished[0]} is unfinished: run the job again to finish it." if unfinished else ""
    raise InputError(f"{path} is no dataset: it has neither {MANIFEST} nor {LATEST}.{hint}")
