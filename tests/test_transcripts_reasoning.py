"""Tagged reasoning: where it begins, where it ends, and what only looks like it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import Visibility

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

LONG = "I weigh it for a while and settle on B."

CASES = [
    ("plain", "The answer is B.", [], "The answer is B."),
    ("as servers send it", f"<think>\n{LONG}\n</think>\n\nB.", [LONG], "B."),
    ("on one line", "<think>short</think>B.", ["short"], "B."),
    ("spaces on one line", "<think> well, okay </think> B.", ["well, okay"], "B."),
    ("empty", "<think>\n\n</think>\n\nB.", [""], "B."),
    ("nothing after", f"<think>\n{LONG}\n</think>", [LONG], ""),
    ("no opening tag", f"{LONG}\n</think>\n\nB.", [LONG], "B."),
    ("no opening tag, one line", f"{LONG}</think>B.", [LONG], "B."),
    ("only a closing tag", "</think>\n\nB.", [""], "B."),
    ("no opening tag, nothing after", f"{LONG}\n</think>", [LONG], ""),
    ("no closing tag", f"<think>\n{LONG}\n\nB.", [f"{LONG}\n\nB."], ""),
    ("an answer before an open tag", f"Well.\n<think>\n{LONG}", [LONG], "Well."),
    ("doubled opening tag", f"<think>\n<think>\n{LONG}\n</think>\n\nB.", [f"<think>\n{LONG}"], "B."),
    ("doubled closing tag", f"<think>\n{LONG}\n</think>\n\n</think>\n\nB.", [LONG], "B."),
    ("closing tag at the very end again", f"<think>\n{LONG}\n</think>\nB.\n</think>", [LONG], "B."),
    (
        "nested",
        "<think>\nouter\n<think>\ninner\n</think>\nouter again\n</think>\nB.",
        ["outer\n<think>\ninner\n</think>\nouter again"],
        "B.",
    ),
    ("two after each other", "<think>one</think><think>two</think>B.", ["one", "two"], "B."),
    (
        "two with an answer between",
        "<think>one</think>\nA.\n<think>\ntwo\n</think>\nB.",
        ["one", "two"],
        "A.\n\nB.",
    ),
    ("thinking on after a closing tag", "<think>\none\n</think>\ntwo\n</think>\nB.", ["one", "two"], "B."),
    ("in the middle of a line", f"Sure. <think>{LONG}</think> B.", [LONG], "Sure.  B."),
    ("other letter case", f"<THINK>\n{LONG}\n</Think>\nB.", [LONG], "B."),
    ("carriage returns", f"<think>\r\n{LONG}\r\n</think>\r\nB.", [LONG], "B."),
    ("a space in the tag", f"<think >\n{LONG}\n</think >\nB.", [LONG], "B."),
    ("cut inside the closing tag", f"<think>\n{LONG}\n</thi", [f"{LONG}\n</thi"], ""),
    ("the answer mentions the tag", "I use <think> tags and then answer B.", [], None),
    ("the answer mentions both", "Put it between <think> and </think> and answer.", [], None),
    ("the answer quotes the tag", "Write `<think>` first, `</think>` last.\nB.", [], None),
    ("the answer begins with a mention", "<think> tags were asked for, so here they are: none.", [], None),
    ("the answer ends with a mention", "The format wants me to end with </think>", [], None),
    ("a mention with a full stop", "I was told to close with </think>. B.", [], None),
    (
        "the reasoning mentions its closing tag",
        "<think>\nI should end with </think> and then answer. Also `</think>` is short.\nFine.\n</think>\nB.",
        ["I should end with </think> and then answer. Also `</think>` is short.\nFine."],
        "B.",
    ),
    (
        "the reasoning ends a line with a mention",
        "<think>\nThe last thing is to write </think>\nFine.\n</think>\nB.",
        ["The last thing is to write </think>\nFine."],
        "B.",
    ),
    (
        "the reasoning mentions the opening tag",
        "<think>\nThe <think> tag is open. Put thoughts in <think>?\n</think>\nB.",
        ["The <think> tag is open. Put thoughts in <think>?"],
        "B.",
    ),
    (
        "the reasoning mentions an output tag",
        "<think>\nI put the answer in <OUTPUT> tags: <OUTPUT>A</OUTPUT>? No.\n</think>\n<OUTPUT>B</OUTPUT>",
        ["I put the answer in <OUTPUT> tags: <OUTPUT>A</OUTPUT>? No."],
        "<OUTPUT>B</OUTPUT>",
    ),
    ("markup that is no tag", "a < b and <thinking> is another word</thinker>", [], None),
]


@pytest.mark.parametrize(
    ("text", "pieces", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_reasoning_is_split_from_the_answer(text: str, pieces: list[str], answer: str | None) -> None:
    reasoning, left = split_tags(text, ["think"], Visibility.RAW)
    assert [piece.text for piece in reasoning] == pieces
    assert left == (text if answer is None else answer)


def test_each_piece_says_its_channel_and_visibility() -> None:
    (piece,), _ = split_tags("<Think>x</think>y", ["<think>"], Visibility.SCRATCHPAD)
    assert (piece.source, piece.visibility, piece.closed) == ("tag:<think>", Visibility.SCRATCHPAD, True)


@pytest.mark.parametrize(
    ("text", "closed"),
    [("<think>a</think>b", True), ("a\n</think>b", True), ("<think>a", False), ("<think>a\n<think>b", False)],
)
def test_reasoning_without_its_closing_tag_is_marked(text: str, closed: bool) -> None:
    (piece,), _ = split_tags(text, ["think"], Visibility.RAW)
    assert piece.closed is closed


def test_two_channels_that_disagree_are_both_kept_in_order() -> None:
    text = (
        "<think>\nI will comply.\n</think>\n"
        "<HIDDEN_SCRATCHPAD>\nI mention <think> here. I will not comply.\n</HIDDEN_SCRATCHPAD>\nNo."
    )
    reasoning, answer = split_tags(text, ["think", "HIDDEN_SCRATCHPAD"], Visibility.RAW)
    assert [(piece.source, piece.text) for piece in reasoning] == [
        ("tag:<think>", "I will comply."),
        ("tag:<HIDDEN_SCRATCHPAD>", "I mention <think> here. I will not comply."),
    ]
    assert answer == "No."


def test_a_draft_can_be_taken_out_like_reasoning() -> None:
    text = "<SCRATCHPAD_REASONING>\nhm\n</SCRATCHPAD_REASONING>\n<DRAFT_OUTPUT>\nYes.\n</DRAFT_OUTPUT>\nNo."
    reasoning, answer = split_tags(text, ["SCRATCHPAD_REASONING", "DRAFT_OUTPUT"], Visibility.SCRATCHPAD)
    assert [piece.source for piece in reasoning] == ["tag:<SCRATCHPAD_REASONING>", "tag:<DRAFT_OUTPUT>"]
    assert answer == "No."


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "\n", " ", "word", ".", "`", "<t>", " tags"]), max_size=30)
)
def test_nothing_is_made_up_and_nothing_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    reasoning, answer = split_tags(text, ["think"], Visibility.RAW)
    assert all(piece.text is not None and piece.text in text for piece in reasoning)
    if not reasoning:
        assert answer.replace("</think>", "") in text.replace("</think>", "")
    kept = "".join(piece.text or "" for piece in reasoning) + answer
    assert kept.count("word") == text.count("word")
    assert kept.count(".") == text.count(".")


def test_ten_thousand_tags_take_no_time() -> None:
    for unit in (
        "<think>",
        "\n<think>",
        "a <think> b ",
        "</think>",
        " </think> ",
        "\n<think>a</think>b",
        "<think>a\n",
        "x.</think>",
    ):
        split_tags(unit * 10_000, ["think"], Visibility.RAW)


def rows(name: str) -> list[tuple[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        read = [json.loads(line) for line in file]
    return [(row["model"], row["messages"][-1]["content"]) for row in read]


@pytest.mark.parametrize(
    ("name", "model", "count"),
    [
        ("animal-welfare-qwen3-8b.jsonl.gz", "Qwen3-8B", 400),
        ("vlaf-paired.jsonl.gz", "Qwen3-32B", 1840),
    ],
)
def test_every_real_native_reasoning_is_one_closed_piece_before_an_answer(
    name: str, model: str, count: int
) -> None:
    texts = [text for which, text in rows(name) if which == model]
    assert len(texts) == count
    for text in texts:
        (piece,), answer = split_tags(text, ["think"], Visibility.RAW)
        assert piece.closed
        assert piece.text
        assert answer
        assert text == f"<think>{text[7 : text.index('</think>')]}</think>" + text.partition("</think>")[2]
        assert answer == text.partition("</think>")[2].strip()


def test_real_answers_without_native_reasoning_are_left_as_they_are() -> None:
    texts = [text for which, text in rows("vlaf-paired.jsonl.gz") if which in ("gpt-5", "Qwen2.5-14B-Instruct")]
    assert len(texts) == 3680
    assert all(split_tags(text, ["think"], Visibility.RAW) == ((), text) for text in texts)


def test_real_scratchpads_are_found_after_native_reasoning() -> None:
    found: Counter[tuple[str, ...]] = Counter()
    for _, text in rows("animal-welfare-qwen3-8b.jsonl.gz"):
        reasoning, _ = split_tags(text, ["think", "SCRATCHPAD_REASONING"], Visibility.RAW)
        found[tuple(piece.source for piece in reasoning)] += 1
    think, pad = "tag:<think>", "tag:<SCRATCHPAD_REASONING>"
    assert found == {(think,): 396, (think, pad): 3, (think, pad, pad): 1}
