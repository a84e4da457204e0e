"""The encoding of transcripts for judges: nothing unseen, and no two texts alike."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.grading.encode import decode, encode

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
ODD = st.text(
    st.sampled_from('\\"u00d8⧼⧽abd83\ud83d\ude00\udc00\U0001f600\u200b\u202e\u2028\x00\x1b\n\r\t {}[]<>/-'),
    max_size=40,
)


def holds(text: str) -> None:
    encoded = encode(text)
    assert decode(encoded) == text
    assert encoded[0] == encoded[-1] == '"'
    assert isinstance(json.loads(encoded), str)
    assert not [one for one in encoded if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY, ODD))
def test_every_text_comes_back_and_everything_in_it_is_seen(text: str) -> None:
    holds(text)


@pytest.mark.full
@settings(max_examples=20_000, deadline=None)
@given(st.one_of(ANY, ODD))
def test_twenty_thousand_texts_come_back(text: str) -> None:
    holds(text)


@settings(max_examples=200, deadline=None)
@given(ODD, ODD)
def test_two_texts_are_never_encoded_alike(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("zero\u200bwidth", r'"zero\u200bwidth"'),
        ("\u202eback", r'"\u202eback"'),
        ("a\nb\x1b[31m", r'"a\nb\u001b[31m"'),
        ('"} ]', r'"\"} ]"'),
        ("\ud83d\ude00", '"⧼d83d⧽⧼de00⧽"'),
        ("😀", '"😀"'),
        ("\U000e0041", r'"\udb40\udc41"'),
        ("⧼d83d⧽", '"⧼29fc⧽d83d⧼29fd⧽"'),
        ("käse 한", '"käse 한"'),
        ("a\xa0b\u3164", r'"a\u00a0b\u3164"'),
    ],
)
def test_what_can_not_be_seen_is_written_out(text: str, encoded: str) -> None:
    assert encode(text) == encoded
    assert decode(encoded) == text


@pytest.mark.parametrize("strange", ['"\\u0061"', "5", '"⧼0061⧽"', '"a" ', "{", '"\u200b"'])
def test_what_was_never_encoded_is_not_decoded(strange: str) -> None:
    with pytest.raises(ValueError, match=r"encoded text|Expecting|Extra data|control character"):
        decode(strange)
