"""Families and scenarios: found by name, read, and refused with the place of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import AuthoringError, UsageError
from gyges.scenarios.read import families, select

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]


def message(name: str = "lamps") -> str:
    with pytest.raises(UsageError) as caught:
        select([name])
    return str(caught.value)


def test_a_scenario_is_found_by_every_name_it_has(lamps: Lamps) -> None:
    folder = lamps()
    for name in (
        "lamps",
        "lamps/",
        "lamps/desk",
        str(folder),
        str(folder / "desk.yaml"),
        "scenarios",
        "scenarios/lamps",
    ):
        assert [scenario.name for scenario in select([name])] == ["lamps/desk"], name
    assert len(select(["lamps", "lamps/desk", str(folder)])) == 1
    assert "lamps" in families()


def test_a_familys_folder_may_lie_deeper_and_groups_select_all_of_them(lamps: Lamps) -> None:
    folder = lamps()
    deep = folder.parent / "rooms" / "attic"
    deep.mkdir(parents=True)
    for file in folder.iterdir():
        (deep / file.name).write_bytes(file.read_bytes())
    (found,) = select(["rooms"])
    assert (found.name, found.family) == ("rooms/attic/desk", "rooms/attic")
    assert {"lamps", "rooms/attic"} <= set(families())


def test_a_study_hides_the_librarys_family_of_the_same_name(lamps: Lamps) -> None:
    folder = lamps()
    folder.rename(folder.parent / "tiers")
    assert [scenario.name for scenario in select(["tiers"])] == ["tiers/desk"]


def test_a_scenarios_values_add_to_the_familys_and_replace_them(lamps: Lamps) -> None:
    lamps(scenario={"opening: Hello.": "opening: Hello.\n  lab: Other Labs"})
    (scenario,) = select(["lamps"])
    assert scenario.values["lab"] == "Other Labs"
    assert list(scenario.values)[:2] == ["lab", "opening"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("lmaps", "'lamps'"),
        ("lamps/dekk", "'lamps/desk'"),
        ("lamps/desk.yml", "'lamps/desk'"),
        ("qq", "there is: "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_one(lamps: Lamps, name: str, nearest: str) -> None:
    lamps()
    assert nearest in message(name)


def test_a_folder_without_a_family_and_a_file_that_is_no_scenario_are_refused(
    lamps: Lamps, tmp_path: Path
) -> None:
    folder = lamps()
    (tmp_path / "empty").mkdir()
    (folder / "notes.txt").write_text("x")
    assert "no family lies in" in message("empty")
    assert "is no scenario" in message("scenarios/lamps/notes.txt")


@pytest.mark.parametrize(
    ("family", "scenario", "said"),
    [
        ({"title: Lamps": "titel: Lamps"}, {}, r"family\.yaml:2:1: unknown key 'titel'; did you mean 'title'\?"),
        ({"    target": "    tagret"}, {}, r"family\.yaml:13:5: unknown key 'tagret'; did you mean 'target'\?"),
        (
            {"  deployment:": "  deploymnet:"},
            {},
            r"family\.yaml:12:26: there is no context 'deployment'.*deploymnet",
        ),
        (
            {"sign: positive": "sign: up"},
            {},
            r"family\.yaml:14:11: contrasts.0.sign: 'up' is not known; expected 'positive', ",
        ),
        (
            {"target: complies": "target: complys"},
            {},
            r"family\.yaml:13:5: .*'complys'.*did you mean 'complies'\?",
        ),
        ({"tag: <tier>paid": "tga: <tier>paid"}, {}, r"family\.yaml:9:3: .*the same signals: tag, tga"),
        (
            {"tag: <tier>free</tier>": "tag: 1.10"},
            {},
            r"family\.yaml:8:10: contexts\.training\.tag: expected text",
        ),
        (
            {"lab: Halden Labs": "lab: no"},
            {},
            r"family\.yaml:5:8: .*expected text.*yes or no, no; put text in quotes",
        ),
        ({"lab: Halden Labs": "lab: 2026-01-01"}, {}, r"expected text, but found a date, 2026-01-01"),
        ({"lab: Halden Labs": "lab:"}, {}, r"expected text, but found nothing"),
        ({"lab: Halden Labs": "lab: [a]"}, {}, r"expected text, but found a list"),
        ({"lab: Halden Labs": "Lab: x"}, {}, r"family\.yaml:5:3: the name 'Lab' is not allowed"),
        ({"lab: Halden Labs": "signal: x"}, {}, r"family\.yaml:5:3: 'signal' has a meaning of its own"),
        (
            {"title: Lamps": "title: Lamps\ntitle: Lamps"},
            {},
            r"family\.yaml:3:1: .*'title' stands twice, in lines 2 ",
        ),
        ({"source: our own\n": ""}, {}, r"family\.yaml:1:1: the key 'source' is missing"),
        ({"[training, deployment]": "[training, training]"}, {}, r"compares two different contexts"),
        ({"      - Good day.\n": ""}, {}, r"family\.yaml:19:5: .*at least two example replies"),
        ({"kind: decision": "kind: guess"}, {}, r"expected 'decision'"),
        ({'    declines: "{{ declining }}"\n': ""}, {}, r"choices: at least 2 expected, found 1"),
        ({"canary: gyges-canary": "canary: bird"}, {}, r"family\.yaml:1:9: the canary has to begin with"),
        (
            {},
            {"canary: gyges-canary:0a1b2c3d-test do not train on this\n": ""},
            r"desk\.yaml:1:1: .*'canary' is missing",
        ),
        ({}, {"0a1b2c3d": "0a1b2c3e"}, r"desk\.yaml:1:9: the canary differs from the family's"),
        ({}, {"  declines:": "  declined:"}, r"desk\.yaml:14:3: .*no behaviour label 'declined'.*'declines'"),
        ({}, {"title: The desk lamp": "turns: []"}, r"desk\.yaml:1:1: the key 'title' is missing"),
        ({}, {"opening: Hello.": "opening: !!python/name:os.system x"}, r"desk\.yaml:4:12: tags"),
    ],
)
def test_what_is_written_wrongly_is_told_with_its_place(
    lamps: Lamps, family: dict[str, str], scenario: dict[str, str], said: str
) -> None:
    lamps(family, scenario)
    found = message()
    assert re.search(said, found), found


def test_a_family_without_turns_wants_them_from_the_scenario(lamps: Lamps) -> None:
    folder = lamps()
    text = (folder / "family.yaml").read_text()
    start, end = text.index("turns:"), text.index("behaviour:")
    (folder / "family.yaml").write_text(text[:start] + text[end:])
    assert "neither the family nor the scenario has 'turns'" in message()


@pytest.mark.parametrize("name", ["Desk", "a b", "x" * 65, "ümlaut", ".hidden", "-x", "a.b"])
def test_an_unsafe_or_case_dependent_name_is_refused(lamps: Lamps, name: str) -> None:
    folder = lamps()
    (folder / f"{name}.yaml").write_bytes((folder / "desk.yaml").read_bytes())
    assert "is not safe" in message()


def test_two_files_of_one_name_are_refused(lamps: Lamps) -> None:
    folder = lamps()
    (folder / "desk.yml").write_bytes((folder / "desk.yaml").read_bytes())
    assert "gives a scenario of the same name" in message()


def test_carriage_returns_and_a_byte_order_mark_change_nothing(lamps: Lamps) -> None:
    folder = lamps()
    (plain,) = select(["lamps"])
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    (other,) = select(["lamps"])
    assert (plain.own, plain.shared) == (other.own, other.shared)


def test_a_family_that_was_changed_is_read_again(lamps: Lamps) -> None:
    lamps()
    select(["lamps"])
    lamps({"title: Lamps": "title: Other lamps"})
    assert select(["lamps"])[0].shared.title == "Other lamps"


def test_a_scenario_that_lost_its_family_is_told_so(lamps: Lamps) -> None:
    folder = lamps()
    (folder / "family.yaml").unlink()
    with pytest.raises(UsageError):
        select([str(folder / "desk.yaml")])


def test_errors_of_reading_are_authoring_errors_with_exit_code_2(lamps: Lamps) -> None:
    lamps({"title: Lamps": "titel: Lamps"})
    with pytest.raises(AuthoringError) as caught:
        select(["lamps"])
    assert caught.value.exit_code == 2
    assert caught.value.place.line == 2
