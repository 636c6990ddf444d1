from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.labels import BoxBinding, MaskBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.entry_numbers import instances, of_masks, of_source
from pipeline.modalities.labels.writer import changes
from transforms.fanbeam.geometry import together
from transforms.values import Boxes, ImageValue

PIXELS = np.zeros((20, 20, 3), np.uint8)


def runs(*filled: tuple[int, int]) -> list[dict[str, Any]]:
    """Masks that are all true in one column of pixels each: COCO counts down the columns."""
    return [{"size": [20, 20], "counts": [20 * a, 20 * (b - a), 20 * (20 - b)]} for a, b in filled]


def written(own: Any, other: Any, kind: pa.DataType, binding: BoxBinding, label: str = "labels") -> dict[str, Any]:
    """Columns of a record after another was laid beside it, nothing of either covered."""
    batches = [pa.RecordBatch.from_pylist([row], pa.schema(kind)) for row in (own, other)]
    values = [bind({"boxes": binding}, batch, 0, ImageValue(PIXELS)) for batch in batches]
    donor = of_source(values[1], 1)  # type: ignore[arg-type]
    both = together(values[0], [donor])  # type: ignore[arg-type, list-item]
    found = changes({"boxes": binding}, batches[0], 0, both, [(batches[1], 0)])
    return {name: change.applied(batches[0].column(name), 0).to_pylist()[0] for name, change in found.items()}


LISTS = {"boxes": pa.list_(pa.list_(pa.float32())), "names": pa.list_(pa.string()), "score": pa.large_list(pa.int8())}
OWN = {"boxes": [[1, 2, 3, 4]], "names": ["a"], "score": [7]}
OTHER = {"boxes": [[5, 5, 2, 2], [0, 0, 9, 9]], "names": ["b", "c"], "score": [8, 9]}
BOTH = {name: [*OWN[name], *OTHER[name]] for name in OWN}
BINDING = BoxBinding(column="boxes", format="coco", labels="names", columns=("score",))


def test_entries_of_both_with_their_labels() -> None:
    assert written(OWN, OTHER, LISTS, BINDING) == BOTH


@pytest.mark.parametrize(
    ("own", "other", "wanted"),
    [
        ({"boxes": None, "names": None, "score": None}, OTHER, OTHER),
        (OWN, {"boxes": None, "names": None, "score": None}, OWN),
        (OWN, {"boxes": [], "names": [], "score": []}, OWN),
        (OWN, {**OTHER, "names": None}, {**BOTH, "names": ["a", None, None]}),
        ({**OWN, "names": None}, OTHER, {**BOTH, "names": [None, "b", "c"]}),
    ],
)  # fmt: skip
def test_null_cells_stay_as_long_as_their_lists(own: Any, other: Any, wanted: Any) -> None:
    assert written(own, other, LISTS, BINDING) == wanted


def test_structs_of_lists_and_lists_of_structs() -> None:
    entry = {"bbox": pa.list_(pa.float64()), "name": pa.string()}
    binding = BoxBinding(column="objects", format="pascal_voc", labels="name")
    inside = {"objects": pa.list_(pa.struct(entry))}
    one, two = [{"bbox": [0.0, 0, 3, 3], "name": "a"}], [{"bbox": [1.0, 1, 9, 9], "name": "b"}]
    assert written({"objects": one}, {"objects": two}, inside, binding) == {"objects": [*one, *two]}
    apart = {"objects": pa.struct({**{k: pa.list_(v) for k, v in entry.items()}, "source": pa.string()})}
    first = {"bbox": [[0.0, 0, 3, 3]], "name": ["a"], "source": "x"}
    second = {"bbox": [[1.0, 1, 9, 9]], "name": ["b"], "source": "y"}
    wanted = {"bbox": [*first["bbox"], *second["bbox"]], "name": ["a", "b"], "source": "x"}
    assert written({"objects": first}, {"objects": second}, apart, binding) == {"objects": wanted}


def test_masks_follow_the_boxes_that_are_left_each_in_its_own_form() -> None:
    bindings: dict[Any, Any] = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc"), "masks": MaskBinding(column="masks"),
    }  # fmt: skip
    kind = pa.struct({"size": pa.list_(pa.int64()), "counts": pa.list_(pa.int64()), "note": pa.string()})
    schema = pa.schema({"boxes": pa.list_(pa.list_(pa.float64())), "masks": pa.list_(kind)})
    rows = []
    for note, filled in (("own", [(0, 4), (5, 9)]), ("other", [(10, 12), (13, 20)])):
        boxes = [[a, 0, b, 20] for a, b in filled]
        masks = [{**mask, "note": f"{note}{n}"} for n, mask in enumerate(runs(*filled))]
        rows.append(pa.RecordBatch.from_pylist([{"boxes": boxes, "masks": masks}], schema))
    own, other = (bind(bindings, row, 0, ImageValue(PIXELS)) for row in rows)
    both = together(own, [of_source(other, 1)])  # type: ignore[arg-type, list-item]
    assert both.boxes is not None
    left = Boxes(both.boxes.corners[[1, 2, 3]], both.boxes.rows[[1, 2, 3]])
    found = changes(
        bindings, rows[0], 0, ImageValue(PIXELS, left, masks=both.masks, mask_rows=both.mask_rows), [(rows[1], 0)]
    )
    cell = found["masks"].applied(rows[0].column("masks"), 0).to_pylist()[0]
    assert [entry["note"] for entry in cell] == ["own1", "other0", "other1"]
    assert [entry["counts"] for entry in cell] == [mask["counts"] for mask in runs((5, 9), (10, 12))] + [[260, 140]]


def test_instances_that_have_no_boxes_all_stay() -> None:
    assert instances(of_masks(3, 2), 0, (1,)) == [(0, 0), (1, 1), (2, 2)]
    assert instances(of_masks(2, 2), 0, (1,)) == [(1, 1)]
    assert instances(of_masks(2, None), 0, None) == [(0, 0), (1, 1)]
    assert instances(of_masks(2, 2), 1, (0, 1)) == []
