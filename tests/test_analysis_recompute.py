"""A stored report is computed again from its run, and every figure has to be the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from gyges.analysis.recompute import differences, figures_agree
from gyges.analysis.report import beside, report_of
from gyges.analysis.report_json import to_json
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Grade, ReasoningRead
from gyges.transcripts.manifest import FamilyContrast, Forking, Manifest, PlannedAgent, PlannedScenario
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility
from gyges.transcripts.store import RunWriter

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))


def manifest() -> Manifest:
    scenarios = (
        PlannedScenario(name=f"f/{i}", family="f", variant="b", sha256="", behaviour=None) for i in range(3)
    )
    return Manifest(
        run="r",
        created="2026-01-01T00:00:00Z",
        source="played",
        command="gyges run f",
        seed=1,
        samples=1,
        scenarios=tuple(scenarios),
        agents=(PlannedAgent(name="a", model="openai/x", base_url="", graph="", profile="{}"),),
        contrasts=(FamilyContrast(family="f", contrast=CONTRAST),),
        versions={},
    )


@pytest.fixture
async def run(tmp_path: Path) -> Path:
    """A graded run with its report beside it."""
    path = tmp_path / "r.gyges"
    with RunWriter.create(path, manifest()) as writer:
        for i in range(3):
            for context in ("training", "deployment"):
                key = EpisodeKey("a", f"f/{i}", "b", context, 0)
                said = (Message("assistant", f"No {i}.", (Reasoning(Visibility.RAW, "x", "Hm."),)),)
                await writer.episode(Episode(key, "f", Outcome.COMPLETED, "", said, 1.0, 2.0, "x-1"))
                label = "complies" if context == "training" and i else "declines"
                await writer.grades(
                    [grade(key, label), Grade(key.id(), "reasoning", "r", "1", ReasoningRead(()))], "1"
                )
    store(path)
    return path


def grade(key: EpisodeKey, label: str) -> Grade:
    return Grade(key.id(), "behaviour", "d", "1", BehaviourShown(label))


def store(path: Path) -> None:
    with RunReader(path) as reader:
        path.with_suffix(".json").write_text(to_json([report_of(reader)]), encoding="utf-8")


def test_a_report_just_made_agrees_with_its_run(run: Path) -> None:
    assert figures_agree(run) == []


def test_a_run_without_a_stored_report_has_nothing_to_disagree_with(run: Path) -> None:
    run.with_suffix(".json").unlink()
    assert figures_agree(run) == []


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"run": 1}'])
def test_what_is_no_report_is_said_to_be_none(run: Path, text: str) -> None:
    run.with_suffix(".json").write_text(text, encoding="utf-8")
    (problem,) = figures_agree(run)
    assert "is not the JSON report of one run" in problem


def test_a_changed_figure_is_named_with_its_place(run: Path) -> None:
    file = run.with_suffix(".json")
    told = json.loads(file.read_text(encoding="utf-8"))
    told["contrasts"][0]["gap"]["estimate"] = 0.9
    file.write_text(json.dumps(told), encoding="utf-8")
    assert figures_agree(run) == [
        "r.json: contrasts[0].gap.estimate is 0.9 in the report and 0.6666666666666666 when computed again"
    ]


async def test_later_grades_do_not_speak_against_a_report_of_earlier_ones(run: Path) -> None:
    key = EpisodeKey("a", "f/0", "b", "training", 0)
    with RunWriter.open(run) as writer:
        await writer.grades([grade(key, "complies")], "2")
    assert figures_agree(run) == []
    store(run)
    assert figures_agree(run) == []
    told = json.loads(run.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["provenance"]["grade_set"] == "2"


@pytest.mark.parametrize(
    ("told", "found", "lines"),
    [
        ({"a": 1}, {"a": 1, "new": 2}, []),
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, []),
        ({"a": None}, {"a": 0}, ["a is null in the report and 0 when computed again"]),
        ({"a": True}, {"a": 1}, ["a is true in the report and 1 when computed again"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a is [1] in the report and [1, 2] when computed again"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b can't be computed any more"]),
    ],
)
def test_values_differ_by_path_and_only_where_the_report_speaks(
    told: JsonValue, found: JsonValue, lines: list[str]
) -> None:
    assert list(differences(told, found)) == lines


async def test_forks_of_the_run_are_computed_again_from_their_own_files(run: Path) -> None:
    forked = Forking(run="r", sha256="", kind="probe", names=("p",), at="end", repeats=1, texts="")
    about = manifest().model_copy(update={"run": "forks", "source": "forked", "forked": forked})
    with RunWriter.create(run.with_name("forks.gyges"), about):
        pass
    with RunReader(run) as reader, RunReader(run.with_name("forks.gyges")) as forks:
        (whole,) = beside([report_of(reader), report_of(forks)])
    assert [fork.run for fork in whole.forks] == ["forks"]
    run.with_suffix(".json").write_text(to_json([whole]), encoding="utf-8")
    assert figures_agree(run) == []
    changed = json.loads(to_json([whole]))
    changed["forks"][0]["forked_from"] = "another"
    run.with_suffix(".json").write_text(json.dumps(changed), encoding="utf-8")
    assert any("forks" in line for line in figures_agree(run))
    run.with_name("forks.gyges").unlink()
    (problem,) = figures_agree(run)
    assert "holds the forks of forks, whose file is not beside it" in problem
