"""A run is resumed only as what it was: whatever would mix two experiments is refused, and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gyges.batch.order import Order, differences, prepare, prepare_again
from gyges.errors import UsageError
from gyges.transcripts.manifest import Manifest
from tests.conftest import Study

Change = Callable[[Manifest], Manifest]


def with_(**fields: object) -> Change:
    return lambda manifest: manifest.model_copy(update=fields)


def with_agent(**fields: object) -> Change:
    return lambda manifest: manifest.model_copy(
        update={"agents": (manifest.agents[0].model_copy(update=fields), *manifest.agents[1:])}
    )


def with_scenario(**fields: object) -> Change:
    return lambda manifest: manifest.model_copy(
        update={"scenarios": (manifest.scenarios[0].model_copy(update=fields), *manifest.scenarios[1:])}
    )


def with_version(name: str) -> Change:
    return lambda manifest: manifest.model_copy(update={"versions": {**manifest.versions, name: "0.0.1"}})


@pytest.fixture
def manifest(study: Study) -> Manifest:
    assert study.family.is_file()
    return prepare(Order(("walks",), ("faker", "honest"), samples=2, seed=3)).manifest("one")


def test_a_run_that_is_as_it_was_can_be_resumed(manifest: Manifest) -> None:
    assert prepare_again(manifest).manifest("one").model_copy(update={"created": manifest.created}) == manifest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (with_scenario(sha256="other"), "scenario walks/walk-01"),
        (with_scenario(variant="other"), "scenario walks/walk-01"),
        (with_scenario(behaviour=None), "scenario walks/walk-01"),
        (with_agent(model="organism/honest"), "agent faker"),
        (with_agent(graph="graphs/other.py:graph"), "agent faker"),
        (with_agent(code="other"), "agent faker"),
        (with_agent(base_url="http://127.0.0.1:1/v1"), "agent faker"),
        (with_(contrasts=()), "contrasts"),
        (with_version("gyges"), "version of gyges"),
        (with_version("openai"), "version of openai"),
        (with_version("langgraph"), "version of langgraph"),
        (with_version("sqlite"), "version of sqlite"),
        (with_version("python"), "version of python"),
    ],
)
def test_what_differs_from_the_manifest_is_refused_and_named(
    manifest: Manifest, change: Change, named: str
) -> None:
    with pytest.raises(UsageError, match="can't be resumed") as caught:
        prepare_again(change(manifest))
    assert named in caught.value.what


@pytest.mark.parametrize(("field", "value"), [("seed", 4), ("samples", 3), ("hide_signal", True)])
def test_every_field_of_the_order_is_compared(manifest: Manifest, field: str, value: object) -> None:
    assert differences(manifest, manifest.model_copy(update={field: value})) == [field]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("family.yaml", "You are made by", "You were made by"),
        ("family.yaml", "<tier>free</tier>", "<tier>gratis</tier>"),
        ("walk-03.yaml", "number 3?", "number three?"),
    ],
)
def test_words_that_changed_on_disk_are_refused(study: Study, file: str, old: str, new: str) -> None:
    manifest = prepare(Order(("walks",), ("faker",))).manifest("one")
    study.change(file, old, new)
    with pytest.raises(UsageError, match="scenario walks/walk-"):
        prepare_again(manifest)


def test_a_profile_that_changed_on_disk_is_refused(study: Study) -> None:
    profile = study.root / "agents" / "mine.yaml"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text("model: organism/faker\n", encoding="utf-8")
    manifest = prepare(Order(("walks",), ("mine",))).manifest("one")
    profile.write_text("model: organism/faker\ninstructions: Be brief.\n", encoding="utf-8")
    with pytest.raises(UsageError, match="agent mine changed"):
        prepare_again(manifest)
