"""Export: JSON Lines say the run exactly, CSV is harmless, and no file is overwritten or left half-written."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gyges.errors import ImportLineError, StoreError, UsageError
from gyges.scenarios.text import Text
from gyges.scenarios.world import Change
from gyges.transcripts.export import COLUMNS, export, export_csv, export_jsonl, inert, new_file
from gyges.transcripts.grades import BehaviourShown, Finding, Grade, ReasoningRead, Ungraded
from gyges.transcripts.importing import read_transcripts
from gyges.transcripts.line import episode_from_line, line_from_episode
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import (
    Episode,
    EpisodeKey,
    Message,
    Outcome,
    Reasoning,
    ToolCall,
    ToolResult,
    Visibility,
)
from gyges.transcripts.store import RunReader, RunWriter, write_run

MANIFEST = Manifest(
    run="one",
    created="2026-11-21T00:00:00+00:00",
    source="played",
    command="",
    seed=1,
    samples=1,
    scenarios=(),
    agents=(),
    contrasts=(),
    versions={},
)


def episode(sample: int = 0, answer: str = "<think>no tag of ours</think> said") -> Episode:
    reasoning = (
        Reasoning(Visibility.SUMMARY, "field:summary", "thought", 7, closed=False),
        Reasoning(Visibility.REDACTED, "field:redacted"),
    )
    messages = (
        Message("system", "be \ud800 \x00 good", signal=((0, 2),)),
        Message("user", "asked"),
        Message("assistant", answer, reasoning, replay='{"a":1}'),
    )
    key = EpisodeKey("agent", "f/s", "v2", "training", sample)
    pairs = (("option", "a"), ("other", "null"))
    return Episode(
        key, "other family", Outcome.TRUNCATED, "max_tokens", messages, 1.25, 2.5, "model-7", pairs, pairs
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.sqlite"
    write_run(path, [episode(), episode(1, "=cmd()")], lambda: MANIFEST)
    return path


texts = st.text(st.characters(codec=None, exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["\ud800", "\x00", "\u2028", "</think>"]
)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
pairs = st.lists(st.tuples(texts, texts), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
reasonings = st.builds(
    Reasoning, st.sampled_from(Visibility), texts, st.none() | texts, st.none() | integers, st.booleans()
)
spans = st.lists(st.tuples(integers, integers), max_size=2).map(tuple)
roles = st.sampled_from(["system", "user", "assistant", "tool"])
tool_calls = st.lists(st.builds(ToolCall, texts, texts, texts), max_size=2).map(tuple)
results = st.none() | st.builds(ToolResult, texts, st.booleans())
thoughts = st.lists(reasonings, max_size=2).map(tuple)
stands = st.none() | st.builds(Text, texts, spans)
changed = st.lists(st.builds(Change, texts, stands, stands), max_size=2).map(tuple)
messages = st.builds(Message, roles, texts, thoughts, spans, st.none() | texts, tool_calls, results, changed)
keys = st.builds(EpisodeKey, texts, texts, texts, texts, st.integers(0, 2**31 - 1))
said = st.lists(messages, max_size=3).map(tuple)
episodes = st.builds(
    Episode, keys, texts, st.sampled_from(Outcome), texts, said, floats, floats, texts, pairs, pairs
)


@given(episodes)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_line_says_an_episode_exactly(played: Episode) -> None:
    assert episode_from_line(json.loads(json.dumps(line_from_episode(played)))) == played


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_an_exported_run_is_imported_again_as_it_was(run: Path, tmp_path: Path, name: str) -> None:
    with RunReader(run) as reader:
        assert export(reader, tmp_path / name, "jsonl") == 2
        assert list(read_transcripts(tmp_path / name)) == list(reader.episodes())
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader:
        for name in ("one.gz", "two.gz"):
            export_jsonl(reader, tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_other_tools_find_messages_and_reasoning_in_the_usual_fields(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader:
        export_jsonl(reader, tmp_path / "run.jsonl")
    line = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])
    assert (line["model"], line["scenario"], line["context"], line["sample"]) == ("agent", "f/s", "training", 0)
    assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant"]
    assert line["messages"][2]["content"] == "<think>no tag of ours</think> said"
    assert line["messages"][2]["reasoning_content"] == "thought"
    assert line["labels"] == {"option": "a", "other": "null"}


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        ("outcome", "splendid", "gyges.outcome: input should be"),
        ("started", "soon", "gyges.started: input should be a valid number"),
        ("version", 2, "gyges.version: input should be less than or equal to 1"),
        ("colour", "red", "gyges.colour: extra inputs are not permitted"),
    ],
)
def test_a_changed_export_is_named(tmp_path: Path, where: str, value: object, says: str) -> None:
    line = json.loads(json.dumps(line_from_episode(episode())))
    line["gyges"][where] = value
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(line))
    with pytest.raises(ImportLineError, match=says):
        list(read_transcripts(file))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"role": "robot", "content": "x"}, "no role or no text"),
        ({"role": "user", "content": None}, "no role or no text"),
        ({"role": "user", "content": "x", "contents": "y"}, "did you mean 'content'"),
        ({"role": "user", "content": "x", "gyges": {"signal": [[1]]}}, "gyges.signal.0"),
        (
            {"role": "user", "content": "x", "gyges": {"reasoning": [{"visibility": "raw"}]}},
            "gyges.reasoning.0.source",
        ),
        ({"role": "user", "content": "x", "gyges": 7}, "gyges: input should be"),
        ("x", "a message is a text"),
    ],
)
def test_a_changed_message_of_an_export_is_named(tmp_path: Path, message: object, says: str) -> None:
    line = json.loads(json.dumps(line_from_episode(episode())))
    line["messages"] = [message]
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(line))
    with pytest.raises(ImportLineError, match=says):
        list(read_transcripts(file))


def test_a_table_has_a_row_for_each_episode_with_its_grades(run: Path, tmp_path: Path) -> None:
    id = episode().key.id()
    grades = [
        Grade(id, "behaviour", "rule", "1", BehaviourShown("complies")),
        Grade(id, "reasoning", "rules", "1", ReasoningRead((Finding("one", ()), Finding("two", ())))),
        Grade(id, "reasoning", "judge", "1", Ungraded("no_answer")),
    ]

    async def grade() -> None:
        with RunWriter.open(run) as writer:
            await writer.grades(grades, "first")

    asyncio.run(grade())
    with RunReader(run) as reader:
        assert export(reader, tmp_path / "run.csv", "csv") == 2
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["episode"] == id
    assert (rows[0]["behaviour"], rows[0]["findings"], rows[0]["ungraded"]) == (
        "complies",
        "one; two",
        "reasoning: no_answer",
    )
    assert (rows[0]["reasoning"], rows[0]["outcome"], rows[0]["sample"]) == ("thought", "truncated", "0")
    assert (rows[1]["answer"], rows[1]["behaviour"]) == ("'=cmd()", "")


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@x", "\tx", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x", "\u00a0=1", "|x", "%x"],
)
def test_a_cell_that_a_spreadsheet_could_run_is_made_inert(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "plain", "1", "a=b", "'=1", "{}"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert inert(cell) == cell


def test_raw_cells_are_had_on_request(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader:
        export_csv(reader, tmp_path / "run.csv", raw=True)
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        assert [row["answer"] for row in csv.DictReader(file)][1] == "=cmd()"


def test_no_file_is_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with RunReader(run) as reader:
        for name in ("there", "link"):
            for form in ("jsonl", "csv"):
                with pytest.raises(UsageError, match="exists already"):
                    export(reader, tmp_path / name, form)
        with pytest.raises(UsageError, match="formats are jsonl, csv"):
            export(reader, tmp_path / "run.docx", "docx")
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["one.jsonl", "one.jsonl.gz"])
def test_an_export_that_breaks_off_leaves_nothing(tmp_path: Path, name: str) -> None:
    def breaks_off() -> None:
        with new_file(tmp_path / name) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_was_taken_in_the_meantime_is_left_alone(tmp_path: Path) -> None:
    def race() -> None:
        with new_file(tmp_path / "one") as file:
            file.write(b"ours")
            (tmp_path / "one").write_text("theirs")

    with pytest.raises(UsageError, match="exists already"):
        race()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_a_folder_that_is_not_there_is_a_store_error(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader, pytest.raises(StoreError, match="can't be written"):
        export(reader, tmp_path / "nowhere" / "run.csv", "csv")


def test_compressed_lines_are_plain_gzip(run: Path, tmp_path: Path) -> None:
    with RunReader(run) as reader:
        export_jsonl(reader, tmp_path / "run.jsonl.gz")
    with gzip.open(tmp_path / "run.jsonl.gz", "rt") as file:
        assert len(file.readlines()) == 2
