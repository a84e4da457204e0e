"""Labelled texts with another beside them."""

from __future__ import annotations

from gyges.grading.examples import Said, Whole
from gyges.grading.joined import SHARE, beside, joined

ONE = Whole(
    "It is late. I hide it.", frozenset({"concealment"}), "a/1", (Said("concealment", 12, 22),), True, True
)
OTHER = Whole("Bread needs salt.", frozenset(), "a/2", (), True, False)


def test_what_is_said_is_found_at_its_new_place() -> None:
    for first in (True, False):
        made = beside(ONE, OTHER, first=first)
        assert made.said is not None
        assert [made.text[each.start : each.end] for each in made.said] == ["I hide it."]
        assert made.text.startswith("Bread") is first
        assert (made.labels, made.group, made.complete) == (ONE.labels, ONE.group, ONE.complete)
        assert made.complied is None
    assert beside(OTHER, OTHER, first=True).said == ()
    assert beside(Whole("Rain fell.", frozenset(), "b/1"), OTHER, first=True).said is None


def test_about_half_have_another_beside_them_that_says_nothing_and_always_the_same() -> None:
    texts = [Whole(f"Text {at}.", frozenset({"keeps"}) if at % 2 else frozenset(), f"a/{at}") for at in range(400)]
    made = joined(texts)
    assert made == joined(texts)
    longer = [(one, new) for one, new in zip(texts, made, strict=True) if new != one]
    assert abs(len(longer) / len(texts) - SHARE) < 0.1
    assert {new.text.startswith(one.text) for one, new in longer} == {True, False}
    odd = [new.text.replace(one.text, "").strip() for one, new in longer if new.text.count(one.text) == 1]
    assert all(int(text.split()[1].rstrip(".")) % 2 == 0 for text in odd if text)
    assert joined(texts, 0) == texts
    assert all(new != one for one, new in zip(texts, joined(texts, 1), strict=True))


def test_where_each_says_something_nothing_is_put_beside_it() -> None:
    assert joined([ONE], 1) == [ONE]
