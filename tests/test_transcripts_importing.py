"""Import: a sound file becomes a run, and a wrong line is named with what to do about it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gyges.errors import ImportLineError, StoreError, UsageError
from gyges.transcripts.importing import import_file, read_transcripts
from gyges.transcripts.line import episode_from_line
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
from gyges.transcripts.store import RunReader

DATA = Path(__file__).parents[1].parent / "shared" / "data"

LINE: dict[str, object] = {
    "model": "m",
    "scenario": "f/g/s",
    "context": "training",
    "sample": 0,
    "messages": [{"role": "user", "content": "asked"}, {"role": "assistant", "content": "said"}],
}


def line(**changes: object) -> str:
    return json.dumps({**LINE, **changes})


def answered(**message: object) -> str:
    return line(messages=[{"role": "user", "content": "asked"}, {"role": "assistant", **message}])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "transcripts.jsonl"


def read(file: Path, *lines: str) -> list[Episode]:
    file.write_text("".join(f"{one}\n" for one in lines))
    return list(read_transcripts(file))


def test_a_line_becomes_an_episode(file: Path) -> None:
    labels = {"option": "a", "score": 2, "sure": True, "none": None}
    (episode,) = read(file, line(labels=labels, metadata={"value": "care", "tags": ["x"]}))
    assert episode == Episode(
        key=EpisodeKey("m", "f/g/s", "", "training", 0),
        family="f/g",
        outcome=Outcome.COMPLETED,
        reason="",
        messages=(
            Message("user", "asked"),
            Message("assistant", "said", (Reasoning(Visibility.ABSENT, "import"),)),
        ),
        started=0.0,
        ended=0.0,
        model="m",
        labels=(("option", "a"), ("score", "2"), ("sure", "true")),
        metadata=(("value", "care"), ("tags", '["x"]')),
    )


def test_scenarios_without_a_slash_are_one_family(file: Path) -> None:
    (episode,) = read(file, line(scenario="alone"))
    assert (episode.family, episode.key.scenario) == ("imported", "alone")


def test_a_label_that_no_line_has_is_refused_and_nothing_is_written(file: Path, tmp_path: Path) -> None:
    file.write_text("\n".join(line(context=c, labels={"option": "a"}) for c in ("b", "a")))
    out = tmp_path / "run.sqlite"
    with pytest.raises(UsageError, match=r"'opt'.*option"):
        import_file(file, out, target="complies", contrast=("b", "a"), behaviour="label:opt=a", options="a,b")
    assert not out.exists()


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "<think>why</think>\nso"}, "so", [("raw", "tag:<think>", "why")]),
        ({"content": "<thinking>why</thinking>\nso"}, "so", [("scratchpad", "tag:<thinking>", "why")]),
        (
            {"content": "<think>why</think>\n<SCRATCHPAD_REASONING>\nhow\n</SCRATCHPAD_REASONING>\nso"},
            "so",
            [("raw", "tag:<think>", "why"), ("scratchpad", "tag:<SCRATCHPAD_REASONING>", "how")],
        ),
        ({"content": "so", "reasoning_content": "why"}, "so", [("raw", "field:reasoning_content", "why")]),
        ({"content": None, "reasoning": "why"}, "", [("raw", "field:reasoning", "why")]),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            "a\nb",
            [("absent", "import", None)],
        ),
        ({"content": "", "tool_calls": None, "annotations": []}, "", [("absent", "import", None)]),
        ({"content": None, "refusal": "I won't."}, "I won't.", [("absent", "import", None)]),
    ],
)
def test_reasoning_is_told_from_the_answer(
    file: Path, message: dict[str, object], text: str, reasoning: list[tuple[str, str, str | None]]
) -> None:
    (episode,) = read(file, answered(**message))
    said = episode.messages[-1]
    assert said.text.strip() == text
    assert [(str(one.visibility), one.source, one.text) for one in said.reasoning] == reasoning


def test_a_refusal_field_is_the_models_refusal(file: Path) -> None:
    (episode,) = read(file, answered(content=None, refusal="I won't."))
    assert (episode.outcome, episode.reason) == (Outcome.REFUSED_BY_MODEL, "the refusal field is set")


def test_several_turns_and_every_role_are_kept(file: Path) -> None:
    roles = ["developer", "system", "user", "assistant", "tool", "user", "assistant"]
    (episode,) = read(file, line(messages=[{"role": role, "content": role} for role in roles]))
    assert [message.role for message in episode.messages] == ["system", *roles[1:]]


def test_text_comes_through_unchanged(file: Path) -> None:
    words = '\ud800 \x00 \ufffe \u202e {"lc":1} \U0001f600 é'
    (episode,) = read(file, answered(content=words))
    assert episode.messages[-1].text == words


@pytest.mark.parametrize("wrap", [lambda data: data, gzip.compress, lambda data: b"\xef\xbb\xbf" + data])
def test_plain_compressed_and_marked_files_are_read(file: Path, wrap: Callable[[bytes], bytes]) -> None:
    file.write_bytes(wrap(f"{line()}\r\n{line(sample=1)}".encode()))
    assert len(list(read_transcripts(file))) == 2


WRONG: list[tuple[str, str]] = [
    ("", "the line is empty"),
    ("   ", "the line is empty"),
    ("{", "no JSON"),
    (line()[:-9], "no JSON"),
    (line() + line(), "no JSON"),
    ("[]", "a list, not an object"),
    ("null", "null, not an object"),
    ("[" * 100_000, "nested too deeply"),
    ('{"sample": NaN}', "NaN is no JSON"),
    ('{"sample": ' + "9" * 5000 + "}", "no JSON"),
    ('{"model": "m", "model": "n"}', "'model' stands there twice"),
    ("{}", "'model' is missing"),
    (line(modle="m"), "did you mean 'model'"),
    (line(extra=1), "unknown key 'extra'"),
    (line(model=7), "'model' is a number, not a text"),
    (line(context=""), "'context' is empty"),
    (line(scenario=None), "'scenario' is null, not a text"),
    (line(sample="0"), "'sample' is a text, not a whole number"),
    (line(sample=True), "'sample' is true or false"),
    (line(sample=1.0), "'sample' is a number, not a whole number"),
    (line(sample=-1), "'sample' is -1"),
    (line(sample=2**80), "'sample' is"),
    (line(labels=["a"]), "'labels' is a list, not an object"),
    (line(metadata="x"), "'metadata' is a text, not an object"),
    (line(messages={}), "'messages' is an object, not a list"),
    (line(messages=[]), "no message of the assistant"),
    (line(messages=[{"role": "user", "content": "x"}]), "no message of the assistant"),
    (line(messages=["x"]), "message 1 is a text, not an object"),
    (line(messages=[{"content": "x"}]), "message 1 has the role None"),
    (line(messages=[{"role": "robot", "content": "x"}]), "message 1 has the role 'robot'"),
    (line(messages=[{"role": ["user"], "content": "x"}]), "message 1 has the role"),
    (line(messages=[{"role": "user", "content": None}]), "the content of message 1 is null"),
    (answered(), "the content of message 2 is null"),
    (answered(content=7), "the content of message 2 is a number"),
    (answered(content="x", tool_calls=[{"id": "1"}]), "the function of a tool call of message 2 is null"),
    (answered(content="x", refusal=True), "the refusal of message 2 is true or false"),
    (answered(content="x", reasoning_content=["y"]), "'reasoning_content' of message 2 is a list"),
    (answered(content=["x"]), "a part of message 2 is a text"),
    (answered(content=[{"type": "image_url", "image_url": {}}]), "part of type 'image_url'"),
    (answered(content=[{"type": "text"}]), "part of type 'text' without text"),
    (line(sample=5), "the same model, scenario, context and sample as line 1"),
    (line(sample=6, messages=[{"role": "assistant", "content": "x" * 5000}]), "longer than 4,000 bytes"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG)
def test_a_wrong_line_is_named_with_its_place(file: Path, tmp_path: Path, wrong: str, says: str) -> None:
    file.write_text(f"{line(sample=5)}\n{wrong}\n{line(sample=7)}\n")
    longest = 4000 if says.startswith("longer") else 2**20
    with pytest.raises(ImportLineError) as caught:
        list(read_transcripts(file, longest_line=longest))
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{file}:2: ")
    assert caught.value.to_do
    assert caught.value.exit_code == 2
    if longest == 2**20:
        with pytest.raises(ImportLineError):
            import_file(file, tmp_path / "runs" / "one.sqlite", target="complies")
        assert list((tmp_path / "runs").iterdir()) == []


def test_bytes_that_are_no_utf8_are_named(file: Path) -> None:
    file.write_bytes(line().encode() + b'\n{"model": "\xff"}\n')
    with pytest.raises(ImportLineError, match=r":2: byte 12 of the line is not UTF-8"):
        list(read_transcripts(file))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no transcripts"),
        (gzip.compress(b"", mtime=0), "no transcripts"),
        (gzip.compress(line().encode() * 99, mtime=0)[:-20], "breaks off or is damaged"),
        (b"\x1f\x8bnot gzip at all", "breaks off or is damaged"),
        (gzip.compress(b" " * 3_000_000, mtime=0), "longer than 1,000,000 bytes"),
        (
            gzip.compress(b"\n".join(line(sample=n, model="m" * 9999).encode() for n in range(400)), mtime=0),
            "when decompressed",
        ),
    ],
    ids=["empty", "empty inside", "cut off", "not gzip", "one long line", "many long lines"],
)
def test_an_unreadable_file_is_named(file: Path, data: bytes, says: str) -> None:
    file.write_bytes(data)
    with pytest.raises(ImportLineError, match=says):
        list(read_transcripts(file, longest_line=1_000_000, longest_file=2_000_000))


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_can_not_be_opened_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        list(read_transcripts(tmp_path / name))


def test_an_import_is_a_run_with_a_manifest(file: Path, tmp_path: Path) -> None:
    lines = [
        line(context=c, sample=n, scenario=s, labels={"option": "a"})
        for s in ("f/one", "g")
        for c in ("b", "a")
        for n in (0, 3)
    ]
    file.write_text("\n".join(lines))
    out = tmp_path / "runs" / "name.sqlite"
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    manifest = import_file(
        file, out, target="complies", contrast=("b", "a"), created=noon, behaviour="label:option=a", options="a,b"
    )
    assert (manifest.run, manifest.source, manifest.samples) == ("name", "imported", 4)
    assert manifest.created == "2026-11-21T12:00:00+00:00"
    assert [one.name for one in manifest.scenarios] == ["f/one", "g"]
    assert [(one.family, one.contrast.first, one.contrast.second) for one in manifest.contrasts] == [
        ("f", "b", "a"),
        ("imported", "b", "a"),
    ]
    with RunReader(out) as reader:
        assert reader.manifest == manifest
        assert reader.count() == len(lines)
    with pytest.raises(StoreError, match="exists already"):
        import_file(file, out, target="complies", contrast=("b", "a"))


def test_a_contrast_that_is_not_in_the_file_is_refused_with_the_contexts_that_are(
    file: Path, tmp_path: Path
) -> None:
    file.write_text("\n".join(line(context=context) for context in ("training", "test")))
    with pytest.raises(UsageError, match="no context 'deployment'; its contexts are test, training"):
        import_file(file, tmp_path / "one.sqlite", target="complies")
    assert not (tmp_path / "one.sqlite").exists()


def test_the_same_prompts_give_the_same_hash_in_any_order(file: Path, tmp_path: Path) -> None:
    lines = [line(context=context, sample=sample) for context in ("training", "deployment") for sample in (0, 1)]
    hashes = []
    for name, order in (("one", lines), ("two", lines[::-1])):
        file.write_text("\n".join(order))
        hashes.append(import_file(file, tmp_path / f"{name}.sqlite", target="complies").scenarios[0].sha256)
    assert hashes[0] == hashes[1]


@pytest.mark.skipif(not DATA.is_dir(), reason="the published transcripts are not here")
def test_published_transcripts_of_real_models_are_read_whole(tmp_path: Path) -> None:
    out = tmp_path / "vlaf.sqlite"
    manifest = import_file(DATA / "vlaf-paired.jsonl.gz", out, target="complies")
    assert (len(manifest.scenarios), manifest.samples) == (92, 10)
    assert [one.name for one in manifest.agents] == ["Qwen2.5-14B-Instruct", "Qwen3-32B", "gpt-5"]
    seen: Counter[tuple[str, Visibility]] = Counter()
    options: Counter[str] = Counter()
    with RunReader(out) as reader:
        for episode in reader.episodes():
            options[dict(episode.labels)["option"]] += 1
            seen[episode.key.agent, episode.messages[-1].reasoning[0].visibility] += 1
        assert reader.count() == 5520
    assert (options["a"], options["b"], sum(options.values())) == (1707, 3265, 5520)
    assert seen["Qwen3-32B", Visibility.RAW] == 1840
    assert seen["gpt-5", Visibility.ABSENT] == 1840
    assert seen["Qwen2.5-14B-Instruct", Visibility.RAW] == 0


def test_tool_calls_and_results_in_openai_form_are_read() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{"}}
    line = {
        "model": "m",
        "scenario": "f/s",
        "context": "c",
        "sample": 0,
        "messages": [
            {"role": "user", "content": "U"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "seen", "tool_call_id": "c1"},
            {"role": "assistant", "content": "A"},
        ],
    }
    _, asked, answered, _ = episode_from_line(line).messages
    assert asked.calls == (ToolCall("c1", "look", "{"),)
    assert answered.result == ToolResult("c1")
