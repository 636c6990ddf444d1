"""Labels of texts, from Parquet to Parquet: spans, answers and lists of tokens stay on their words."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.driver.verification.verify import verify
from pipeline.errors import ConfigError
from transforms.recipe import check_steps

SPANS = [
    ("We met Jean-Luc O'Neill in St. John's on 3.5.2021.", ["Jean-Luc O'Neill", "St. John's", "3.5.2021"]),
    ("The U.S. and U.K. signed, said @anna_b (AT&T, Inc.).", ["U.S.", "U.K.", "@anna_b", "AT&T, Inc."]),
    ("Email bob@example.org, tel. +1-202-555-0100!", ["bob@example.org", "+1-202-555-0100"]),
    ("प्रधानमंत्री आज दिल्ली में हैं।", ["दिल्ली"]),
    ("他在北京大学工作，住在上海。", ["北京大学", "上海"]),
    ("ฉันชอบกินข้าวผัดที่กรุงเทพ", ["กรุงเทพ"]),
    ("Price:$9.99/kg;was $12", ["$9.99", "kg", "$12"]),
    ("Line one has Rome.\nLine two has  Oslo\tand Bern.", ["Rome", "Oslo", "Bern"]),
    ("aspirin100mg twice-daily (b.i.d.) for you", ["aspirin", "100mg", "b.i.d."]),
]


def run(tmp_path: Path, table: pa.Table, fields: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The training rows of a run that verifies."""
    pq.write_table(table, tmp_path / "in.parquet")
    config = {
        "seed": 3, "input": {"path": str(tmp_path / "in.parquet"), "id": "id"}, "split": {}, "copies": 6,
        "fields": fields, "output": {"path": str(tmp_path / "out")}, "limits": {"failed": 1, "rejected": 1}, **more,
    }  # fmt: skip
    made = pipeline.open_dataset(pipeline.run(JobConfig.model_validate(config)).path)
    report = verify(made, 9)
    assert report.ok, report.differences
    rows: list[dict[str, Any]] = made.splits["train"].to_table().to_pylist()
    return rows


def copies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["lineage"]["copy"]]


def spans_table() -> pa.Table:
    rows = []
    for number, (text, words) in enumerate(SPANS):
        ents = [{"start": text.index(w), "end": text.index(w) + len(w), "label": w} for w in words]
        rows.append({"id": f"t{number}", "text": text, "ents": ents})
    return pa.Table.from_pylist(rows)


STEPS = [
    {"nlpaug.RandomWordAug": {"action": "swap"}},
    {"nlpaug.RandomWordAug": {"action": "delete"}},
    {"nlpaug.KeyboardAug": {}},
    {"nlpaug.RandomCharAug": {"action": "delete"}},
    {"nlpaug.SplitAug": {}},
]


def test_spans_to_keep_mark_their_words_in_every_copy(tmp_path: Path) -> None:
    field = {
        "type": "text",
        "spans": {"column": "ents", "labels": "label", "keep": True},
        "augment": [{"one_of": STEPS}],
    }
    rows = run(tmp_path, spans_table(), {"text": field})
    assert len(rows) == 7 * len(SPANS)
    for row in rows:
        assert [row["text"][s["start"] : s["end"]] for s in row["ents"]] == [s["label"] for s in row["ents"]]
    assert len({row["text"] for row in rows}) > 2 * len(SPANS)


def test_spans_follow_what_the_steps_did(tmp_path: Path) -> None:
    field = {"type": "text", "spans": {"column": "ents", "labels": "label"}, "augment": [{"one_of": STEPS[:2]}]}
    seen = 0
    for row in copies(run(tmp_path, spans_table(), {"text": field})):
        for span in row["ents"]:
            found = row["text"][span["start"] : span["end"]]
            letters = [c for c in found.casefold() if c.isalnum()]
            assert letters
            assert set(letters) <= set(span["label"].casefold())  # never a word of others
            seen += found == span["label"]
    assert seen > 40


CONTEXT = "The Normans were in Normandy, France. They came from Denmark, Iceland and Norway. Dr. Rollo led them."
ANSWERS = ["Normandy, France", "Denmark, Iceland and Norway", "Dr. Rollo", "They"]


@pytest.mark.parametrize("layout", ["lists", "structs"])
@pytest.mark.parametrize("keep", [False, True])
def test_answers_are_in_the_text_where_they_say(layout: str, keep: bool, tmp_path: Path) -> None:
    rows = []
    for number, answer in enumerate(ANSWERS):
        entries = [{"text": answer, "answer_start": CONTEXT.index(answer)}] * 2
        cell: Any = entries if layout == "structs" else {k: [e[k] for e in entries] for k in ("text", "answer_start")}
        rows.append({"id": f"q{number}", "context": CONTEXT, "question": "Who?", "answers": cell})
    rows.append({"id": "none", "context": CONTEXT, "question": "Why?", "answers": [] if layout == "structs" else
                 {"text": [], "answer_start": []}})  # fmt: skip
    field = {"type": "text", "answers": {"column": "answers", "keep": keep}, "augment": [{"one_of": [
        *STEPS, "nlpaug.RandomSentAug"]}], "quality": {"retries": 2}}  # fmt: skip
    made = run(tmp_path, pa.Table.from_pylist(rows), {"context": field})
    assert len(copies(made)) > 12
    for row in made:
        cell = row["answers"]
        pairs = (
            [(e["text"], e["answer_start"]) for e in cell]
            if layout == "structs"
            else list(zip(cell["text"], cell["answer_start"], strict=True))
        )
        assert len(pairs) == (0 if row["id"] == "none" else 2)
        for words, start in pairs:
            assert row["context"][start : start + len(words)] == words
            assert words
            if keep:
                assert words == ANSWERS[int(row["id"][1:])]
    assert len({row["context"] for row in made}) > 10


def test_answers_that_are_not_in_their_text_fail(tmp_path: Path) -> None:
    rows = [
        {"id": "good", "context": CONTEXT, "answers": {"text": ["They"], "answer_start": [CONTEXT.index("They")]}},
        {"id": "bad", "context": CONTEXT, "answers": {"text": ["They"], "answer_start": [3]}},
        {"id": "minus", "context": CONTEXT, "answers": {"text": ["."], "answer_start": [-1]}},
        {"id": "uneven", "context": CONTEXT, "answers": {"text": ["They"], "answer_start": []}},
    ]
    field = {"type": "text", "answers": {"column": "answers"}, "augment": ["nlpaug.KeyboardAug"]}
    made = run(tmp_path, pa.Table.from_pylist(rows), {"context": field})
    assert {row["id"] for row in made} == {"good"}


WORDS = [
    (["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "."], [3, 0, 7, 0, 0, 0, 7, 0, 0]),
    (["Peter", "J.", "Blackburn", "went", "to", "New", "York", "on", "3.5.2021"], [1, 2, 2, 0, 0, 5, 6, 0, 0]),
    (["", "प्रधानमंत्री", "दिल्ली", "में", "[MASK]", "it's", "two words", "!"], [0, 0, 5, 0, 0, 0, 0, 0]),
    ([], []),
]
NAMES = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]


def words_table(kind: str) -> pa.Table:
    tags = {"number": lambda tag: tag, "text": lambda tag: NAMES[tag]}[kind]
    rows = [
        {"id": f"w{n}", "tokens": words, "ner_tags": [tags(t) for t in found], "place": list(range(len(words)))}
        for n, (words, found) in enumerate(WORDS)
    ]
    schema = pa.schema([
        ("id", pa.string()), ("tokens", pa.list_(pa.string())),
        ("ner_tags", pa.list_(pa.int64() if kind == "number" else pa.string())), ("place", pa.large_list(pa.int8())),
    ])  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


@pytest.mark.parametrize("kind", ["number", "text"])
def test_lists_of_words_keep_an_entry_for_each(kind: str, tmp_path: Path) -> None:
    field = {
        "type": "text", "tokens": {"columns": ["ner_tags", "place"], "names": NAMES},
        "augment": [{"one_of": STEPS}], "quality": {"retries": 3},
    }  # fmt: skip
    made = run(tmp_path, words_table(kind), {"tokens": field})
    assert {row["id"] for row in made} == {"w0", "w1", "w2", "w3"}
    originals = {f"w{n}": pair for n, pair in enumerate(WORDS)}
    for row in made:
        words, tags = originals[row["id"]]
        assert len(row["tokens"]) == len(row["ner_tags"]) == len(row["place"])
        if row["lineage"]["copy"] == 0:
            assert row["tokens"] == words
        names = [tag if kind == "text" else NAMES[tag] for tag in row["ner_tags"]]
        assert names == [NAMES[tags[place]] for place in row["place"]]
        for before, tag in zip(["O", *names], names, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:]
        assert all(p in row["place"] for p, w in enumerate(words) if w in (".", "", "[MASK]", "!"))
    swapped = [r for r in copies(made) if '"swap"' in r["lineage"]["transforms"][0]["params"] and r["id"] == "w0"]
    for row in swapped:
        for word, place in zip(row["tokens"], row["place"], strict=True):
            assert word.casefold() == WORDS[0][0][place].casefold()
    deleted = [r for r in copies(made) if len(r["tokens"]) < len(originals[r["id"]][0])]
    assert deleted
    assert any(row["place"] != sorted(row["place"]) for row in copies(made))


def test_lists_of_words_are_told_apart_from_texts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, words_table("text"), {"tokens": {"type": "text", "augment": ["nlpaug.KeyboardAug"]}})
    assert "needs the columns with an entry for each word" in caught.value.problems[0].message
    assert caught.value.problems[0].suggestion == "Add, for example: tokens: {columns: [ner_tags]}"
    with pytest.raises(ConfigError) as caught:
        table = pa.table({"id": ["a"], "text": ["a b"], "tags": [["O", "O"]]})
        run(tmp_path, table, {"text": {"type": "text", "tokens": {"columns": ["tags"]}, "augment": ["nlpaug.OcrAug"]}})


def test_lists_of_other_lengths_and_words_that_are_null_fail(tmp_path: Path) -> None:
    table = pa.table({
        "id": ["good", "uneven", "null", "sign"], "tokens": [["a", "b"], ["a", "b"], ["a", None], ["a\x1fb", "c"]],
        "tags": [["O", "O"], ["O"], ["O", "O"], ["O", "O"]],
    })  # fmt: skip
    field = {"type": "text", "tokens": {"columns": ["tags"]}, "augment": [{"nlpaug.KeyboardAug": {"min_char": 1}}]}
    assert {row["id"] for row in run(tmp_path, table, {"tokens": field})} == {"good"}


def test_new_words_without_an_entry_are_a_problem_of_the_config() -> None:
    (problem,) = check_steps([{"nlpaug.TfIdfAug": {"action": "insert", "model_path": "/no"}}], "text", ["tokens"])[:1]
    assert problem.message == "a new word would have no entry beside the list of words (tokens)"


def test_answers_and_tokens_are_checked_against_the_columns(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "text": ["a b"], "answers": [["a"]], "tags": ["O"]})
    field = {"type": "text", "augment": ["nlpaug.KeyboardAug"], "answers": {"column": "answers"}}
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, table, {"text": field})
    assert "it must hold 'text' with text, as answers" in caught.value.problems[0].message
    with pytest.raises(ValidationError, match="a list of words has no characters"):
        JobConfig.model_validate({
            "input": {"path": "x"}, "output": {"path": "y"},
            "fields": {"text": {**field, "tokens": {"columns": ["tags"]}}},
        })  # fmt: skip


def test_sentences_of_others_come_with_their_words(tmp_path: Path) -> None:
    rows = [
        {"id": f"b{n}", "tokens": f"One{n} came . Two{n} went ! Three{n} stayed .".split(), "tags":
         [f"{n}{p}" for p in range(9)], "label": "ab"[n % 2]} for n in range(6)
    ]  # fmt: skip
    field = {"type": "text", "tokens": {"columns": ["tags"]}, "augment": [{"fanbeam.SentenceMix": {"alpha": 1.0}}]}
    more = {"input": {"path": str(tmp_path / "in.parquet"), "id": "id", "label": "label"}}
    places = {word: tag for row in rows for word, tag in zip(row["tokens"], row["tags"], strict=True)}
    made = copies(run(tmp_path, pa.Table.from_pylist(rows), {"tokens": field}, **more))
    mixed = 0
    for row in made:
        assert len(row["tokens"]) == len(row["tags"])
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            assert word in ("came", "went", "stayed", ".", "!") or places[word] == tag
        mixed += len({tag[0] for tag in row["tags"]}) > 1
    assert mixed > 5
