"""Which column gets which role."""

from pipeline.sources.inspection.column_roles import Facts, roles_of, words_of_name


def facts(name: str, distinct: int, nulls: int = 0, **more: object) -> Facts:
    return Facts(name, 100, nulls, distinct, **more)


def names(*columns: Facts) -> dict[str, str | None]:
    roles = roles_of(columns)
    found = {"id": roles.id, "label": roles.label, "group": roles.group, "split": roles.split}
    return {role: r.column for role, r in found.items() if r}


def test_words_of_names():
    assert words_of_name("imageId") == ["image", "id"]
    assert words_of_name("Image-ID_2") == ["image", "id", "2"]
    assert words_of_name("URLPath") == ["url", "path"]


def test_the_plain_case():
    columns = (facts("image_id", 100), facts("species", 7), facts("observer", 30), facts("width", 40))
    assert names(*columns) == {"id": "image_id", "label": "species", "group": "observer"}


def test_an_id_is_unique_without_nulls_and_known_for_certain():
    assert "id" not in names(facts("id", 99))
    assert "id" not in names(Facts("id", 100, 1, 99))
    assert "id" not in names(facts("id", 100, whole=False))
    assert names(facts("file_name", 100), facts("id", 100))["id"] == "id"


def test_a_patient_id_that_repeats_is_a_group():
    assert names(facts("patient_id", 20), facts("scan_id", 100)) == {"id": "scan_id", "group": "patient_id"}


def test_labels_have_few_values_and_class_names_win():
    assert names(facts("category", 80)) == {}
    assert names(facts("label", 5), facts("kind", 2, names=("a", "b")))["label"] == "kind"
    assert names(facts("tags", 0, several=True)) == {"label": "tags"}


def test_a_split_column_names_splits_in_every_row():
    good = (("test", 20), ("train", 80))
    assert names(facts("split", 2, counts=good)) == {"split": "split"}
    assert names(facts("phase", 2, counts=good)) == {"split": "phase"}
    assert names(facts("split", 2, nulls=1, counts=good)) == {}
    assert names(facts("split", 2, counts=(("holdout", 1), ("train", 99)))) == {}
    assert names(facts("split", 1, counts=(("test", 100),))) == {}


def test_few_groups_are_proposed_only():
    roles = roles_of((facts("site", 2),))
    assert roles.group is None
    assert [(role, found.column) for role, found in roles.others] == [("group", "site")]


def test_notes():
    roles = roles_of((facts("label", 2, nulls=10, counts=(("a", 60), ("b", 30))), facts("id", 100)))
    assert roles.label.note == "2 classes: a (60), b (30); 10 rows have none and will fail"
    assert roles.id.note == "unique in all 100 rows"
    assert roles.unlabeled == 10
