"""The stored classifier: what is refused, and that nothing refused ever scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gyges.errors import AuthoringError, UsageError
from gyges.grading.model_file import StoredModel, find_classifier, load_classifier, write_classifier

LIBRARY = find_classifier("alignment-faking")
Record = dict[str, Any]


def nothing(record: Record) -> None:
    record["features"] = {}


def nan(record: Record) -> None:
    record["intercepts"][0] = float("nan")


def infinite(record: Record) -> None:
    record["verdicts"]["alignment_faking"]["weights"][3] = float("inf")


def no_number(record: Record) -> None:
    record["features"][next(iter(record["features"]))][0] = "7"


def huge(record: Record) -> None:
    record["features"][next(iter(record["features"]))][0] = 10**9


def other_labels(record: Record) -> None:
    record["labels"][0] = "aware_of_weather"


def labels_out_of_order(record: Record) -> None:
    record["labels"].reverse()


def short_row(record: Record) -> None:
    record["features"][next(iter(record["features"]))].pop()


def all_zero(record: Record) -> None:
    record["features"] = {name: [0] * len(row) for name, row in record["features"].items()}


def no_verdict(record: Record) -> None:
    del record["verdicts"]["alignment_faking"]


def verdict_of_zeros(record: Record) -> None:
    verdict = record["verdicts"]["alignment_faking"]
    verdict["weights"] = [0.0] * len(verdict["weights"])


def no_threshold(record: Record) -> None:
    record["verdicts"]["alignment_faking"]["threshold"] = 0.0


def other_form(record: Record) -> None:
    record["form"] = 1


def no_view(record: Record) -> None:
    del record["views"]["ending"]


def view_of_zeros(record: Record) -> None:
    table = record["views"]["matter"]["features"]
    record["views"]["matter"]["features"] = {name: [row[0], *[0] * len(row[1:])] for name, row in table.items()}


def no_rarity(record: Record) -> None:
    next(iter(record["views"]["matter"]["features"].values()))[0] = 0


def unknown_key(record: Record) -> None:
    record["hook"] = "import os"


DAMAGE: list[tuple[Callable[[Record], None], str]] = [
    (nothing, "0 features"),
    (nan, "finite"),
    (infinite, "finite"),
    (no_number, "integer"),
    (huge, "are not 11 numbers"),
    (other_labels, "aware_of_weather"),
    (labels_out_of_order, "their order"),
    (short_row, "are not 11 numbers"),
    (all_zero, "no weight but 0"),
    (no_verdict, "alignment_faking"),
    (verdict_of_zeros, "all weights are 0"),
    (no_threshold, "no probability"),
    (no_view, "ending"),
    (view_of_zeros, "no weight but 0"),
    (no_rarity, "no rarity"),
    (other_form, "form"),
    (unknown_key, "hook"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE, ids=lambda one: getattr(one, "__name__", ""))
def test_a_damaged_classifier_is_refused(tmp_path: Path, damage: Callable[[Record], None], says: str) -> None:
    record = json.loads(LIBRARY.read_text(encoding="utf-8"))
    damage(record)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(AuthoringError, match="no classifier that can be used") as caught:
        load_classifier(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x04\x95pickle", b"[]", b"null", LIBRARY.read_bytes()[:-5_000]])
def test_what_is_no_classifier_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(data)
    with pytest.raises(AuthoringError, match="no classifier that can be used"):
        load_classifier(path)


def test_a_missing_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="can't be read"):
        load_classifier(tmp_path / "none.json")
    with pytest.raises(UsageError, match="no-such"):
        find_classifier("no-such")


def test_a_classifier_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "again.json"
    write_classifier(StoredModel.model_validate_json(LIBRARY.read_bytes()), path)
    assert path.read_bytes() == LIBRARY.read_bytes()


def test_a_version_covers_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(LIBRARY.read_bytes() + b"\n")
    assert load_classifier(path).version != load_classifier(LIBRARY).version


def test_the_library_classifier_is_small_and_says_what_it_was_trained_on() -> None:
    assert LIBRARY.stat().st_size < 4_000_000
    assert "sentences" in StoredModel.model_validate_json(LIBRARY.read_bytes()).trained_on
