"""A peer: a per-record Beam pipeline, the way Beam's documentation shows it, with Pillow, on local worker processes.

python -m scripts.benchmarks.naive_beam DATA OUTPUT PROCESSES
"""

import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

logging.getLogger().setLevel(logging.ERROR)
import apache_beam as beam  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

from scripts.benchmarks import material  # noqa: E402


class Multiply(beam.DoFn):  # type: ignore[misc]
    """Record -> four copies."""

    def setup(self) -> None:
        import albumentations

        self.steps = albumentations.Compose(material.transforms())

    def process(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        pixels = np.array(Image.open(io.BytesIO(row["image"])).convert("RGB"))
        for copy in range(1, material.COPIES + 1):
            image = material.jpeg_by_pillow(self.steps(image=pixels)["image"])
            yield {"id": f"{row['id']}/{copy}", "label": row["label"], "image": image}


def main(data: str, output: str, processes: int) -> None:
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("image", pa.binary())])
    options = PipelineOptions(
        runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner",
        direct_running_mode="multi_processing",
        direct_num_workers=processes,
    )
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | beam.io.ReadFromParquet(data)
            | beam.ParDo(Multiply())
            | beam.io.WriteToParquet(f"{output}/part", schema, codec="none")
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
