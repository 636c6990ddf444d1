"""The bound: bare processes that only decode once, then seed, transform and encode four times, and write Parquet.

python -m scripts.benchmarks.bound DATA OUTPUT PROCESSES
"""

import random
import sys
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import simplejpeg

from scripts.benchmarks import material


def work(data: str, output: str, part: int, parts: int) -> int:
    """Every `parts`-th row group, from row group `part` on."""
    steps = material.transforms()
    file = pq.ParquetFile(data)
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("image", pa.binary())])
    samples = 0
    with pq.ParquetWriter(f"{output}/part-{part}.parquet", schema, compression="none", use_dictionary=False) as writer:
        for group in range(part, file.metadata.num_row_groups, parts):
            rows = file.read_row_group(group).to_pylist()
            ids, labels, images = [], [], []
            for row in rows:
                pixels = simplejpeg.decode_jpeg(row["image"])
                for copy in range(1, material.COPIES + 1):
                    ids.append(f"{row['id']}/{copy}")
                    labels.append(row["label"])
                    images.append(_augmented(steps, pixels, row["id"], copy))
            writer.write_table(pa.table([ids, labels, pa.array(images, pa.binary())], schema=schema))
            samples += len(ids)
    return samples


def _augmented(steps: list[object], pixels: object, key: str, copy: int) -> bytes:
    seed = int.from_bytes(blake2b(f"{key}/{copy}".encode(), digest_size=16).digest(), "little")
    generator, plain = np.random.Generator(np.random.Philox(key=seed)), random.Random(seed)
    for step in steps:
        step.set_random_state(generator, plain)  # type: ignore[attr-defined]
        pixels = step(image=pixels)["image"]  # type: ignore[operator]
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=material.QUALITY, colorsubsampling="420"
    )
    return encoded


def main(data: str, output: str, processes: int) -> None:
    Path(output).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        print(sum(pool.map(work, [data] * processes, [output] * processes, range(processes), [processes] * processes)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
