"""`fanbeam init`: what is found in data of each kind, and that the config written for it checks and renders."""

import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import tifffile
from PIL import Image

from pipeline.cli.init.starter_config import config_text, dataset_path, quoted
from pipeline.config.loader import read_config
from pipeline.config.schema import JobConfig
from pipeline.driver.jobs import job_of
from pipeline.errors import InputError
from pipeline.modalities.codecs.volume import nifti
from pipeline.planning.checks.check import checked
from pipeline.planning.job import Task
from pipeline.planning.survey import survey
from pipeline.records import SPLITS, Shard
from pipeline.rendering.stages import families
from pipeline.sources.inspection.describe import describe_data
from transforms.recipe import build_recipe
from transforms.values import AudioValue

SENTENCES = (
    "The river was high after three days of rain.",
    "She bought two tickets for the early train.",
    "Nobody knew where the old map had gone.",
    "A small dog slept under the kitchen table.",
    "They painted the fence green before the winter came.",
)


def png(number: int, side: int = 40, channels: int = 3) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (side, side + 8, channels), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def wav(number: int, seconds: float = 0.5) -> bytes:
    samples = np.random.default_rng(number).standard_normal(int(8000 * seconds)).astype(np.float32) * 0.1
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="WAV")
    return file.getvalue()


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str) -> tuple[str, JobConfig]:
    """The config for some data, which must check, render, and stay within its own limits or say that it does not."""
    monkeypatch.chdir(tmp_path)
    text = config_text(describe_data(data), "config.yaml")
    put(tmp_path / "config.yaml", text)
    config, listing = checked(read_config("config.yaml"))
    job = job_of(config, listing)
    blocks = tuple(t.block for t in survey(job, listing.units).blocks)
    found = [g for split in SPLITS for g in families(job, Task(Shard(split, 0, blocks)))]
    failed = sum(d.copy is None for g in found for d in g.dropped)
    copies = sum(s.variant.copy > 0 for g in found for s in g.samples)
    lost = sum(d.copy is not None for g in found for d in g.dropped)
    assert copies > 0
    assert failed <= config.limits.failed * len(found) or "they will fail." in text
    assert (config.limits.failed, config.limits.rejected) == (0.01, 0.2)
    assert lost <= config.limits.rejected * (copies + lost)
    return text, config


def problem_of(data: str) -> str:
    with pytest.raises(InputError) as error:
        describe_data(data)
    assert all(p.message for p in error.value.problems)
    return "\n".join([error.value.message, *(str(p) for p in error.value.problems)])


def table(rows: int = 40) -> dict[str, list[object]]:
    return {
        "image_id": [f"im{n:03}" for n in range(rows)],
        "species": [("oak", "elm")[n % 2] for n in range(rows)],
        "observer": [f"person {n % 12}" for n in range(rows)],
    }


def test_folder_of_images_with_everything_that_lies_about(tmp_path, monkeypatch):
    for n in range(12):
        put(tmp_path / "my photos" / ("Bäume & co" if n % 2 else "chats noirs") / f"été {n}.PNG", png(n))
    for name in ("Thumbs.db", "README.txt", "chats noirs/.DS_Store", "chats noirs/Thumbs.db"):
        put(tmp_path / "my photos" / name, b"not a picture")
    put(tmp_path / "my photos" / "chats noirs" / "deeper" / "one more.png", png(99))
    put(tmp_path / "my photos" / "at the root.png", png(100))
    text, config = written(tmp_path, monkeypatch, "my photos")
    assert "13 images, 3 classes by folder: Bäume & co (6), chats noirs (6), deeper (1)" in text
    assert "3 of 3 classes have fewer than 10 records" in text
    assert "1 outside the class folders, left out by the pattern: at the root.png" in text
    assert "3 other files are ignored: 2 .db, 1 .txt" in text
    assert config.input.path == "my photos/*/**/*"
    assert config.output.path == "out/my-photos"
    assert list(config.fields) == ["image"]


def test_plain_folder_keeps_its_path(tmp_path, monkeypatch):
    for n in range(6):
        put(tmp_path / "birds" / ("a", "b")[n % 2] / f"{n}.png", png(n, side=100))
    put(tmp_path / "birds" / ".cache" / "x.png", b"not a picture")
    text, config = written(tmp_path, monkeypatch, "birds")
    assert config.input.path == "birds"
    assert "albumentations.GaussianBlur" in text
    assert text.startswith("# fanbeam run config.yaml     ->  out/birds/<version>/\n")


def test_files_without_class_folders(tmp_path, monkeypatch):
    for n in range(4):
        put(tmp_path / "flat" / f"{n}.png", png(n))
    text, _ = written(tmp_path, monkeypatch, "flat")
    assert "4 images, no class folders" in text


def test_grey_pictures_stay_grey(tmp_path, monkeypatch):
    for n in range(4):
        put(tmp_path / "scans" / "a" / f"{n}.png", png(n, channels=1))
    _, config = written(tmp_path, monkeypatch, "scans")
    assert config.fields["image"].mode == "grey"


@pytest.mark.parametrize(
    ("levels", "window"),
    [
        (np.linspace(0, 3_900, 64).reshape(8, 8).astype(np.uint16), (0, 4095)),
        (np.linspace(0, 60_000, 64).reshape(8, 8).astype(np.uint16), (0, 65_535)),
        (np.linspace(0, 0.9, 64).reshape(8, 8).astype(np.float32), (0, 1)),
        (np.linspace(-2, 300, 64).reshape(8, 8).astype(np.float32), (-2, 300)),
    ],
)
def test_pictures_of_more_than_eight_bits_get_a_window_and_a_note(tmp_path, monkeypatch, levels, window):
    for n in range(6):
        file = io.BytesIO()
        tifffile.imwrite(file, levels)
        put(tmp_path / "deep" / f"{n}.tif", file.getvalue() + bytes(n))
    text, config = written(tmp_path, monkeypatch, "deep")
    assert config.fields["image"].window == window
    assert "steps see 256 levels" in text
    assert "cannot be decoded" not in text


def test_folders_named_for_splits_are_warned_of(tmp_path, monkeypatch):
    for n in range(6):
        put(tmp_path / "set" / ("train", "val")[n % 2] / "cat" / f"{n}.png", png(n))
    text, _ = written(tmp_path, monkeypatch, "set")
    assert "# The folders train, val look like splits." in text
    assert "  # path: set/train" in text


def test_broken_pictures_are_told_and_no_limit_is_lifted(tmp_path, monkeypatch):
    for n in range(5):
        put(tmp_path / "d" / "a" / f"{n}.png", png(n))
    put(tmp_path / "d" / "a" / "broken.png", b"\x89PNG\r\n\x1a\n")
    text, _ = written(tmp_path, monkeypatch, "d")
    assert "1 of 6 looked at cannot be decoded" in text
    assert "# NOTE: about 16.7% of the records" in text
    assert "# limits: {failed: 0.2}" in text


def test_pictures_of_which_none_can_be_decoded_are_refused(tmp_path: Path) -> None:
    for n in range(5):
        put(tmp_path / "d" / "a" / f"{n}.jpg", b"\0\0\0\x1cftypheic" + bytes(100))
    with pytest.raises(InputError, match=r"no record of .* can be used: .*5 of 5 looked at cannot be decoded") as error:
        config_text(describe_data(str(tmp_path / "d")), "config.yaml")
    assert "Convert the files" in error.value.problems[0].suggestion


def test_folder_of_sounds(tmp_path, monkeypatch):
    for n in range(6):
        put(tmp_path / "drums" / ("kick", "snare")[n % 2] / f"hit {n}.wav", wav(n))
    text, config = written(tmp_path, monkeypatch, "drums")
    assert config.fields["audio"].type == "audio"
    assert "wav; 0.50 to 0.50 seconds at 8 kHz in 6 looked at" in text


def test_the_starter_keeps_all_that_a_stretched_sound_says(tmp_path, monkeypatch):
    for n in range(6):
        put(tmp_path / "talks" / f"{n}.wav", wav(n))
    _, config = written(tmp_path, monkeypatch, "talks")
    steps = [step for step in config.fields["audio"].augment if "audiomentations.TimeStretch" in step]
    samples = np.zeros((1, 16_000), np.float32)
    samples[0, 14_400:15_600] = np.sin(np.arange(1_200) * 0.8)
    slower = [{"audiomentations.TimeStretch": {**steps[0]["audiomentations.TimeStretch"], "max_rate": 0.9, "p": 1}}]
    value, _ = build_recipe(slower, "audio").apply(AudioValue(samples, 8_000), bytes(16))
    assert isinstance(value, AudioValue)
    assert value.samples.shape[1] == pytest.approx(16_000 / 0.9, rel=0.01)
    assert np.square(value.samples).sum() > 0.8 * np.square(samples).sum()


def test_sounds_beyond_full_scale_are_normalized_and_that_is_said(tmp_path, monkeypatch):
    for n in range(6):
        file = io.BytesIO()
        soundfile.write(file, 20_000 * np.sin(np.arange(4_000) * 0.1 * (n + 1)), 8000, format="WAV", subtype="FLOAT")
        put(tmp_path / "loud" / f"{n}.wav", file.getvalue())
    text, config = written(tmp_path, monkeypatch, "loud")
    assert config.fields["audio"].peaks == "normalize"
    assert "float samples go beyond full scale" in text
    assert "cannot be decoded" not in text


def test_folder_of_texts_with_a_readme(tmp_path, monkeypatch):
    for n in range(10):
        put(tmp_path / "texts" / ("a", "b")[n % 2] / f"{n}.txt", SENTENCES[n % 5])
    put(tmp_path / "texts" / "README.txt", "About these texts.")
    _, config = written(tmp_path, monkeypatch, "texts")
    assert config.fields["text"].type == "text"
    assert config.input.path == "texts/*/*"


def test_sidecar_tables_do_not_hide_the_pictures(tmp_path, monkeypatch):
    for n in range(4):
        put(tmp_path / "d" / "a" / f"{n}.png", png(n))
        put(tmp_path / "d" / "a" / f"{n}.json", "[1]")
    _, config = written(tmp_path, monkeypatch, "d")
    assert config.input.format == "folder"


def test_a_table_of_the_files_beside_it_is_pointed_to(tmp_path, monkeypatch):
    for n in range(4):
        put(tmp_path / "d" / "train" / f"{n}.png", png(n))
    rows = [{"file_name": f"train/{n}.png", "label": ["a", "b"]} for n in range(4)]
    put(tmp_path / "d" / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    assert (
        "# metadata.jsonl names files and holds their columns: give it to init"
        in written(tmp_path, monkeypatch, "d")[0]
    )
    text = config_text(describe_data(str(tmp_path / "d" / "metadata.jsonl")), "c.yaml")
    assert "uri: true" in text
    assert "label: label                        # several classes per row" in text


def test_parquet_of_bytes(tmp_path, monkeypatch):
    columns = {**table(), "picture": [png(n) for n in range(40)], "mask": [png(n) for n in range(40)]}
    pq.write_table(pa.table(columns), tmp_path / "trees.parquet")
    text, config = written(tmp_path, monkeypatch, "trees.parquet")
    assert (config.input.id, config.input.label, config.input.group) == ("image_id", "species", "observer")
    assert list(config.fields) == ["picture"]
    assert "# unique in all 40 rows" in text
    assert "# 2 classes: elm (20), oak (20)" in text
    assert "# mask: {type: image, augment: []}" in text


def test_hugging_face_struct_with_class_names(tmp_path, monkeypatch):
    features = {"image": {"_type": "Image"}, "target": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("target", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    rows = {
        "image": [{"bytes": png(n), "path": f"{n}.png"} if n != 3 else None for n in range(10)],
        "target": [n % 2 for n in range(10)],
    }
    put(tmp_path / "hub" / "README.md", "# card")
    put(tmp_path / "hub" / "dataset_infos.json", "{}")
    put(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", b"")
    pq.write_table(pa.table(rows, schema=schema), tmp_path / "hub" / "data" / "train-00000-of-00001.parquet")
    text, config = written(tmp_path, monkeypatch, "hub")
    assert "# 2 classes: 0 = cat (5), 1 = dog (5)" in text
    assert "left out by the pattern: jsonl" in text
    assert config.input.path == "hub/**/*.parquet"
    assert "# NOTE: about 10.0% of the records" in text


def test_csv_of_texts_with_a_split_column(tmp_path, monkeypatch):
    lines = ["review_id,text,sentiment,split"]
    lines += [
        f'{n:03},"{SENTENCES[n % 5]} {n}",{"pos" if n % 3 else "neg"},{"test" if n % 5 == 0 else "train"}'
        for n in range(40)
    ]
    put(tmp_path / "reviews.csv", "\n".join(lines))
    text, config = written(tmp_path, monkeypatch, "reviews.csv")
    assert (config.input.id, config.input.label, config.split.column) == ("review_id", "sentiment", "split")
    assert config.fields["text"].type == "text"
    assert "# test (8), train (32)" in text
    assert "reject_unchanged: true" in text


def test_csv_with_missing_labels_says_so_and_runs(tmp_path, monkeypatch):
    lines = ["text\tlabel"] + [f"{SENTENCES[n % 5]} {n}\t{'' if n % 4 == 0 else 'x'}" for n in range(40)]
    put(tmp_path / "a.tsv", "\n".join(lines))
    text, _ = written(tmp_path, monkeypatch, "a.tsv")
    assert "1 class: x (30); 10 rows have none and will fail" in text
    assert "# NOTE: about 25.0% of the records" in text


def test_texts_of_other_scripts_and_of_one_word(tmp_path, monkeypatch):
    put(tmp_path / "ru.csv", "text\n" + "\n".join(f"Сегодня хорошая погода и мы идём гулять {n}" for n in range(20)))
    text, _ = written(tmp_path, monkeypatch, "ru.csv")
    assert "# - nlpaug.KeyboardAug" in text
    put(tmp_path / "word.csv", "text\n" + "\n".join(f"hello{n}" for n in range(20)))
    text, _ = written(tmp_path, monkeypatch, "word.csv")
    assert "RandomCharAug" in text


def test_jsonl_of_file_names(tmp_path, monkeypatch):
    rows = []
    for n in range(12):
        put(tmp_path / "data" / "files" / f"bild {n} ü.png", png(n))
        rows.append({"file": f"files/bild {n} ü.png", "uuid": f"u{n}", "category": n % 3, "patient": f"p{n // 2}"})
    put(tmp_path / "data" / "list.jsonl", "\n".join(json.dumps(r) for r in rows))
    _, config = written(tmp_path, monkeypatch, "data/list.jsonl")
    assert config.fields["file"].uri
    assert (config.input.id, config.input.label, config.input.group) == ("uuid", "category", "patient")


def test_awkward_column_names_are_quoted(tmp_path, monkeypatch):
    rows = {"no: 1 #id": [f"k{n}" for n in range(20)], "yes": [f"{SENTENCES[n % 5]} {n}" for n in range(20)]}
    pq.write_table(pa.table(rows), tmp_path / "odd [1].parquet")
    _, config = written(tmp_path, monkeypatch, "odd [1].parquet")
    assert list(config.fields) == ["yes"]
    assert config.input.id == "no: 1 #id"
    assert quoted("a b") == '"a b"'
    assert quoted("data/birds") == "data/birds"
    assert quoted("null") == '"null"'
    assert quoted("007") == '"007"'
    assert quoted("a\nb") == '"a\\nb"'


def test_ids_that_occur_twice_are_not_ids(tmp_path):
    rows = {"id": [n // 2 for n in range(20)], "text": [SENTENCES[n % 5] for n in range(20)]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    assert describe_data(str(tmp_path / "a.parquet")).id is None


def test_few_groups_are_only_proposed(tmp_path):
    rows = {"site": [n % 2 for n in range(20)], "text": [SENTENCES[n % 5] for n in range(20)]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    findings = describe_data(str(tmp_path / "a.parquet"))
    assert findings.group is None
    assert [role for role, found in findings.other_roles if found.column == "site"] == ["group"]
    assert "  # group: site" in config_text(findings, "c.yaml")


def test_the_dataset_never_lies_inside_the_data(tmp_path, monkeypatch):
    for n in range(3):
        put(tmp_path / "here" / "a" / f"{n}.png", png(n))
    monkeypatch.chdir(tmp_path / "here")
    findings = describe_data(".")
    assert dataset_path(findings) == "../here-augmented"
    _, config = written(tmp_path / "here", monkeypatch, ".")
    assert config.output.path == "../here-augmented"


def test_no_such_path(tmp_path):
    assert "Check the spelling" in problem_of(str(tmp_path / "nothing"))


def test_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no files in" in problem_of(str(tmp_path / "empty"))


def test_unknown_kind(tmp_path):
    put(tmp_path / "a.xlsx", b"x")
    message = problem_of(str(tmp_path))
    assert "cannot be read" not in message
    assert ".xlsx" in message
    assert "Parquet, CSV, TSV, JSON Lines" in message


def test_no_usable_column(tmp_path):
    pq.write_table(pa.table({"x": [1.5, 2.5], "blob": [b"aa", b"bb"]}), tmp_path / "n.parquet")
    message = problem_of(str(tmp_path / "n.parquet"))
    assert "x (double), blob (binary)" in message
    assert "Column 'blob' holds bytes that are no image or sound" in message


def test_named_files_that_are_not_there(tmp_path):
    put(tmp_path / "a.csv", "file\nx.png\ny.png\n")
    assert "names files that are not there: 'x.png'" in problem_of(str(tmp_path / "a.csv"))


def test_table_without_rows(tmp_path):
    put(tmp_path / "a.csv", "text,label\n")
    assert "no rows" in problem_of(str(tmp_path / "a.csv"))


def test_the_result_of_a_run_is_refused(tmp_path):
    pq.write_table(pa.table({"text": ["a b"], "sample_id": ["x/0"]}), tmp_path / "a.parquet")
    assert "which fanbeam writes itself" in problem_of(str(tmp_path / "a.parquet"))


def test_a_folder_with_the_result_of_a_run_is_refused(tmp_path):
    put(tmp_path / "out" / "birds" / "1a2b" / "_receipts" / "train-00000.json", "{}")
    put(tmp_path / "birds" / "a" / "1.png", png(1))
    assert "holds the result of a fanbeam run: out/birds/1a2b" in problem_of(str(tmp_path))


def test_a_few_broken_files_among_many_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(60):
        put(tmp_path / f"photos/{'ab'[n % 2]}/{n:02d}.png", png(n))
    put(tmp_path / "photos/a/page.jpg", "<html>not found</html>")
    put(tmp_path / "photos/b/empty.png", b"")
    text, _ = written(tmp_path, monkeypatch, "photos")
    assert re.search(r"# NOTE: about \d+\.\d% of the records", text)
    assert "1 are no image by their first bytes: a/page.jpg" in text
    assert "1 file is empty and will fail" in text


def stack(number: int, pages: int = 5, kind: str = "uint8") -> bytes:
    file = io.BytesIO()
    slices = np.random.default_rng(number).integers(0, 200, (pages, 24, 20)).astype(kind)
    tifffile.imwrite(file, slices, photometric="minisblack", metadata=None)
    return file.getvalue()


def test_folder_of_stacks(tmp_path, monkeypatch):
    for n in range(8):
        put(tmp_path / "scans" / ("a", "b")[n % 2] / f"{n}.tif", stack(n))
    text, config = written(tmp_path, monkeypatch, "scans")
    assert "8 volumes, 2 classes by folder: a (4), b (4)" in text
    assert "tiff uint8; sides of 5 to 24 voxels in 8 looked at" in text
    assert config.fields["volume"].type == "volume"


def test_tiff_files_of_one_page_are_pictures(tmp_path, monkeypatch):
    for n in range(8):
        put(tmp_path / "scans" / ("a", "b")[n % 2] / f"{n}.tif", stack(n, pages=1))
    text, config = written(tmp_path, monkeypatch, "scans")
    assert "8 images" in text
    assert list(config.fields) == ["image"]


def test_folder_of_arrays_and_of_nifti_files(tmp_path, monkeypatch):
    array = np.random.default_rng(0).integers(-1000, 400, (6, 24, 20)).astype("<i2")
    for n in range(8):
        file = io.BytesIO()
        np.save(file, array + n)
        put(tmp_path / "arrays" / ("a", "b")[n % 2] / f"{n}.npy", file.getvalue())
        put(tmp_path / "heads" / ("a", "b")[n % 2] / f"{n}.nii.gz", gzip.compress(nifti.write_nifti(array + n)))
    put(tmp_path / "heads" / "notes.gz", b"not a volume")
    text, _ = written(tmp_path, monkeypatch, "arrays")
    assert "8 volumes" in text
    assert "# window: [-1000, 400]" in text
    text, _ = written(tmp_path, monkeypatch, "heads")
    assert "8 volumes" in text
    assert "nii.gz int16; sides of 6 to 24 voxels" in text
    assert "1 other file is ignored: 1 .gz" in text


def test_columns_of_volumes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {**table(), "scan": [stack(n) for n in range(40)]}
    pq.write_table(pa.table(rows), tmp_path / "in.parquet")
    _, config = written(tmp_path, monkeypatch, "in.parquet")
    assert config.fields["scan"].type == "volume"


def test_columns_of_names_of_stacks(tmp_path, monkeypatch):
    for n in range(40):
        put(tmp_path / "stacks" / f"{n}.tif", stack(n))
    lines = [f"stacks/{n}.tif,{('oak', 'elm')[n % 2]}" for n in range(40)]
    put(tmp_path / "in.csv", "\n".join(["file,species", *lines]) + "\n")
    _, config = written(tmp_path, monkeypatch, "in.csv")
    assert (config.fields["file"].type, config.fields["file"].uri) == ("volume", True)


def test_empty_and_truncated_files_count_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(14):
        put(tmp_path / f"photos/{'ab'[n % 2]}/{n:02d}.png", png(n))
    put(tmp_path / "photos/a/cut.png", png(3)[:-20])
    put(tmp_path / "photos/b/empty.png", b"")
    text, _ = written(tmp_path, monkeypatch, "photos")
    assert "# NOTE: about 14.1% of the records" in text  # (15 / 12 + 1) / 16


def test_lines_that_are_not_utf8_are_told_and_counted_once(tmp_path, monkeypatch):
    lines = [f"{n},some words of text number {n} here,{'Häuser' if n % 2 else 'b'}\n" for n in range(40)]
    put(tmp_path / "a.csv", "".join(["id,text,label\n", *lines]).encode("latin-1"))
    text = config_text(describe_data(str(tmp_path / "a.csv")), "c.yaml")
    assert "20 lines cannot be read and are failed records (broken_line)" in text
    assert "not UTF-8 text" in text
    assert "about 50.0% of the records lack label or payload" in text


def test_what_hugging_face_saved_to_disk_is_told_to_be_written_as_parquet(tmp_path):
    with pa.OSFile(str(put(tmp_path / "set/data-00000-of-00001.arrow", b"")), "wb") as sink:
        rows = pa.table({"text": ["some words"]})
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
    for name in ("state.json", "dataset_info.json"):
        put(tmp_path / "set" / name, json.dumps({"a": 1}, indent=2))
    assert "to_parquet(FILE)" in problem_of(str(tmp_path / "set"))


def test_the_bands_of_a_tiff_are_looked_at_in_silence(tmp_path, capfd, caplog):
    sink = io.BytesIO()
    tifffile.imwrite(sink, np.zeros((8, 8, 13), np.uint16), photometric="minisblack", planarconfig="contig")
    pq.write_table(pa.table({"image": [png(0), sink.getvalue(), png(1)]}), tmp_path / "a.parquet")
    assert "cannot be decoded" in config_text(describe_data(str(tmp_path / "a.parquet")), "c.yaml")
    assert not caplog.records
    assert capfd.readouterr().err == ""
