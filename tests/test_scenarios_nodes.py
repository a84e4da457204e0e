"""YAML: what is read, and what is refused where it stands."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.errors import AuthoringError
from gyges.scenarios.nodes import MAX_BYTES, Data, read_document
from gyges.scenarios.phrase import Implicit, Phrase


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "a.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def data(tmp_path: Path, text: str | bytes) -> Data:
    return read_document(written(tmp_path, text)).data()


MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 17))
ALIAS_BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n", r":3:1: the key 'a' stands twice, in lines 1 and 3", id="A01 duplicate"
        ),
        pytest.param("a:\n  b: 1\n  b: 2\n", r":3:3: the key 'b' stands twice", id="A01 nested duplicate"),
        pytest.param(MERGE_BOMB, r":3:3: merge keys .* expansion limit", id="A02 merge bomb"),
        pytest.param(ALIAS_BOMB, r":1\d:\d+: expansion limit", id="A03 alias bomb"),
        pytest.param("a: &a [1, *a]\n", r":1:11: .* a cycle", id="A03 recursive alias"),
        pytest.param("a: *b\n", r":1:4: .*b", id="unknown alias"),
        pytest.param("a: !!python/object:os.system x\n", r":1:4: tags such as .* are not read", id="A04 object"),
        pytest.param("a: !!binary aGk=\n", r":1:4: tags", id="A04 binary"),
        pytest.param("a: !odd x\n", r":1:4: tags", id="A04 unknown tag"),
        pytest.param("", r"a\.yaml: the file is empty", id="A08 empty"),
        pytest.param("# nothing\n", r"the file is empty", id="A08 only a comment"),
        pytest.param("a:\n\tb: 1\n", r":2:1: a tab stands", id="A08 tab"),
        pytest.param("a: b\n".encode("utf-16"), r"UTF-16", id="A08 UTF-16"),
        pytest.param(b"a: b\nc: \xff\n", r":2: .*not UTF-8", id="A08 Latin-1"),
        pytest.param("a: b\nc: \x07\n", r":2: a control character", id="control character"),
        pytest.param("[" * 5000, r"nested over 30 levels deep", id="A08 5,000 deep, flow"),
        pytest.param(
            "".join(" " * i + "a:\n" for i in range(500)), r":31:31: nested over", id="A08 500 deep, block"
        ),
        pytest.param("a: 1\n---\nb: 2\n", r":2:1: a second document", id="A09 two documents"),
        pytest.param("? [a]\n: b\n", r":1:3: a key has to be text", id="a list as key"),
        pytest.param("a: b: c\n", r":1:5: this is not readable YAML", id="unquoted colon"),
    ],
)
def test_what_is_refused_is_told_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    start = time.monotonic()
    with pytest.raises(AuthoringError) as caught:
        read_document(written(tmp_path, text))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert time.monotonic() - start < 2


def test_a_huge_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as opened:
        opened.truncate(200_000_000)
    with pytest.raises(AuthoringError, match=f"200,000,000 bytes, and the limit is {MAX_BYTES:,}"):
        read_document(file)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="not a regular file"):
        read_document(tmp_path)
    with pytest.raises(AuthoringError, match="can't be read"):
        read_document(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "Yes",
        "OFF",
        "1.10",
        "010",
        "0x1F",
        "0o17",
        "1_000",
        "12:30:45",
        "2026-01-01",
        "2026-01-01 10:00",
        ".inf",
    ],
)
def test_unquoted_words_that_some_reader_takes_for_more_than_text_are_not_text(tmp_path: Path, word: str) -> None:
    plain = data(tmp_path, f"a: {word}\nb: '{word}'\n")
    assert isinstance(plain, dict)
    values = {str(key): value for key, value in plain.items()}
    assert isinstance(values["a"], Implicit | float)
    assert values["b"] == word


@pytest.mark.parametrize("words", ["2026-01-01 is a day", "none of it", "1 lamp", "n", "12:30 sharp", "0x", "no!"])
def test_unquoted_words_that_are_text_for_everybody_are_text(tmp_path: Path, words: str) -> None:
    made = data(tmp_path, f"a: {words}\n")
    assert made == {"a": words}


def test_lists_mappings_numbers_and_truth_values_are_read(tmp_path: Path) -> None:
    assert data(tmp_path, "a: [1, -2.5, true, null, x, '1']\nb: {c: d}\n") == {
        "a": [1, -2.5, True, None, "x", "1"],
        "b": {"c": "d"},
    }


def test_a_byte_order_mark_and_carriage_returns_leave_no_trace(tmp_path: Path) -> None:
    plain = data(tmp_path, "a: |\n  x\n  y\n")
    assert data(tmp_path, b"\xef\xbb\xbfa: |\r\n  x\r\n  y\r\n") == plain == {"a": "x\ny\n"}


def test_an_alias_is_a_copy_of_its_own_place_in_what_is_made_of_it(tmp_path: Path) -> None:
    made = data(tmp_path, "a: &a {x: y}\nb: *a\n")
    assert isinstance(made, dict)
    first, second = made.values()
    assert first == second
    assert first is not second


def test_places_are_those_of_keys_and_values(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a:\n  - b: c\n"))
    assert (document.at(["a", 0, "b"]).line, document.at(["a", 0, "b"]).column) == (2, 8)
    assert document.key_at(["a", 0, "b"]).column == 5


@pytest.mark.parametrize(
    ("text", "line", "name", "place"),
    [
        ("a: |\n  one\n  two x\n", 2, "x", "3:7"),
        ("a: |\n  one\n  two x\n", 2, "", "3:3"),
        ("a: >-\n  one\n  two x\n", 1, "x", "3:7"),
        ('a: "one x"\n', 1, "x", "1:9"),
        ("x: one x\n", 1, "x", "1:8"),
        ("a: one\n", 1, "x", "1:4"),
    ],
)
def test_a_line_of_a_text_is_found_in_its_file(
    tmp_path: Path, text: str, line: int, name: str, place: str
) -> None:
    made = data(tmp_path, text)
    assert isinstance(made, dict)
    phrase = next(iter(made.values()))
    assert isinstance(phrase, Phrase)
    assert str(phrase.error("wrong", "", line, name)) == f"{tmp_path}/a.yaml:{place}: wrong"


# fmt: off
TOKENS = [
    "a:", "- ", "{", "}", "[", "]", "&a", "*a", "!!str", "|\n  ", ">-\n ", '"', "'", "#", "\n", "  ", "\t",
    "---", "...", "?", ": ", "<<:", "%YAML 1.1", "no", "1.10", "\u2028", "\x85", "\ufeff", "\x00", "\xe9",
    "@", "`", "|2\n",
]
# fmt: on


@given(st.lists(st.sampled_from(TOKENS), max_size=20).map("".join) | st.text(max_size=40) | st.binary(max_size=40))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        with contextlib.suppress(AuthoringError):
            read_document(file).data()  # nothing else may be raised


def test_a_line_beyond_the_text_is_told_at_its_last_line(tmp_path: Path) -> None:
    made = data(tmp_path, "a: |\n  one\n  two\nb: c\n")
    assert isinstance(made, dict)
    phrase = next(iter(made.values()))
    assert isinstance(phrase, Phrase)
    assert phrase.error("wrong", line=9).place.line == 3
