"""The stored reader of motives: what is refused, and that it comes back as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gyges.errors import AuthoringError
from gyges.grading.model_file import find_classifier
from gyges.grading.motive_file import NAME, StoredMotives, load_motives, write_motives

LIBRARY = find_classifier(NAME)
Record = dict[str, Any]


def nothing(record: Record) -> None:
    record["features"] = {}


def nan(record: Record) -> None:
    record["motives"]["concealment"]["intercept"] = float("nan")


def no_number(record: Record) -> None:
    record["features"][next(iter(record["features"]))][0] = "7"


def huge(record: Record) -> None:
    record["features"][next(iter(record["features"]))][0] = 10**9


def short_row(record: Record) -> None:
    record["features"][next(iter(record["features"]))].pop()


def all_zero(record: Record) -> None:
    record["features"] = {name: [0] * len(row) for name, row in record["features"].items()}


def a_motive_less(record: Record) -> None:
    del record["motives"]["sandbagging"]


def another_motive(record: Record) -> None:
    record["motives"]["boredom"] = record["motives"].pop("sandbagging")


def out_of_order(record: Record) -> None:
    record["motives"] = dict(reversed(record["motives"].items()))


def thresholds_turned(record: Record) -> None:
    record["motives"]["sandbagging"]["agreed"] = 0.99


def turned_round(record: Record) -> None:
    record["motives"]["sandbagging"]["slope"] = -1.0


def another_kind(record: Record) -> None:
    record["kind"] = "gyges reasoning classifier"


def unknown_key(record: Record) -> None:
    record["hook"] = "import os"


DAMAGE: list[tuple[Callable[[Record], None], str]] = [
    (nothing, "0 features"),
    (nan, "finite"),
    (no_number, "integer"),
    (huge, "are not 20 numbers"),
    (short_row, "are not 20 numbers"),
    (all_zero, "no weight but 0"),
    (a_motive_less, "sandbagging"),
    (another_motive, "boredom"),
    (out_of_order, "their order"),
    (thresholds_turned, "thresholds"),
    (turned_round, "slope"),
    (another_kind, "kind"),
    (unknown_key, "hook"),
]


def small() -> Record:
    """The library's reader with fewer features, which is quicker to damage and to refuse."""
    record: Record = json.loads(LIBRARY.read_text(encoding="utf-8"))
    record["features"] = dict(list(record["features"].items())[:2000])
    record["seen"] = record["seen"][:5]
    return record


@pytest.mark.parametrize(("damage", "says"), DAMAGE, ids=lambda one: getattr(one, "__name__", ""))
def test_a_damaged_reader_is_refused(tmp_path: Path, damage: Callable[[Record], None], says: str) -> None:
    record = small()
    damage(record)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(AuthoringError, match="no reader of motives that can be used") as caught:
        load_motives(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x04\x95pickle", b"[]", b"null"])
def test_what_is_no_reader_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(data)
    with pytest.raises(AuthoringError, match="no reader of motives that can be used"):
        load_motives(path)
    with pytest.raises(AuthoringError, match="can't be read"):
        load_motives(tmp_path / "none.json")


def test_a_reader_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "again.json"
    write_motives(StoredMotives.model_validate_json(LIBRARY.read_bytes()), path)
    assert path.read_bytes() == LIBRARY.read_bytes()


def test_a_version_covers_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(LIBRARY.read_bytes() + b"\n")
    assert load_motives(path).version != load_motives(LIBRARY).version
