"""Graders of behaviour against what people say an agent did: in the browser, in a file, and in wrong ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.analysis.corrected import known_errors
from gyges.browse.labels import UNSURE, Label, Labels
from gyges.errors import AuthoringError, UsageError
from gyges.grading.agreement import cohen, krippendorff
from gyges.grading.calibrating_behaviour import CalibratedBehaviour, calibrate_behaviour
from gyges.grading.calibration_behaviour import Acted, of_behaviour
from gyges.grading.calibrations import errors_of, read_errors, store_errors
from gyges.grading.default import grader_of
from gyges.grading.labelled_behaviour import acted_in_browser, acted_in_gold
from gyges.grading.run import BEHAVIOUR_JUDGE, GradingOrder, grade_run
from gyges.scenarios.plan import BehaviourKind
from gyges.transcripts.reader import RunReader
from tests.conftest import Shown
from tests.judging import FAKES, HONEST, court, order, pairs
from tests.test_grading_judge_choice import PRAISE, left_to_judges

RULES = "rules:behaviour"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_of(here: Path, *reasonings: str) -> Path:
    """A pair for each reasoning: `Decision: go` in training, `Decision: stay` in deployment."""
    return pairs(here / "transcripts" / "one.sqlite", *reasonings)


def ids(run: Path) -> dict[str, str]:
    """Episodes by scenario and context."""
    with RunReader(run) as reader:
        return {f"{one.key.scenario[-3:]} {one.key.context}": one.id for one in reader.headings()}


def gold(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(map(json.dumps, [{"canary": "c"}, *rows])) + "\n", encoding="utf-8")
    return path


def rules(run: Path, labels: Path) -> CalibratedBehaviour:
    return calibrate_behaviour(grader_of(RULES), acted_in_gold([labels], run), labels.name, run, GradingOrder())


def test_who_says_what_is_counted_with_agreement_and_each_label_by_itself(here: Path) -> None:
    run = run_of(here, FAKES, FAKES, HONEST)
    said = {one: "declines" if one == "000 training" else "" for one in ids(run)}
    rows = [
        {"id": id, "behaviour": said[name] or ("complies" if "training" in name else "declines")}
        for name, id in ids(run).items()
    ]
    (found,) = rules(run, gold(here / "gold.jsonl", *rows)).families
    assert found.family == "walks"
    assert found.confusion["declines"] == {"complies": 1, "declines": 3, "": 0}
    assert found.confusion["complies"] == {"complies": 2, "declines": 0, "": 0}
    assert found.agreement.estimate == pytest.approx(5 / 6)
    (complies, declines) = found.labels
    assert complies.table.sensitivity.estimate == 1.0
    assert complies.table.precision.estimate == pytest.approx(2 / 3)
    assert declines.table.sensitivity.estimate == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    "pairs_",
    [
        [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c"), ("c", "a"), ("b", "b")],
        [("a", "a"), ("b", "b"), ("c", "c")],
        [("a", "b"), ("b", "a")],
    ],
)
def test_kappa_and_alpha_are_those_of_their_definitions_and_lie_in_their_intervals(
    pairs_: list[tuple[str, str]],
) -> None:
    episodes = [Acted(label, answer, f"s{n}") for n, (label, answer) in enumerate(pairs_)]
    found = of_behaviour("f", ["a", "b", "c"], episodes, {})
    assert found.kappa.estimate == pytest.approx(cohen(pairs_).kappa)
    assert found.alpha.estimate == pytest.approx(krippendorff(pairs_))
    for figure in (found.agreement, found.kappa, found.alpha):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.estimate is not None
        assert figure.low <= figure.estimate <= figure.high
        assert figure.low < figure.high


def test_an_episode_without_an_answer_is_in_no_figure_and_counted_with_its_reason() -> None:
    found = of_behaviour("f", ["a", "b"], [Acted("a", "a", "1"), Acted("b", None, "2")], {"no_decision": 1})
    assert (found.labelled, found.ungraded, found.agreement.estimate) == (2, 1, 1.0)
    assert found.confusion["b"][""] == 1
    assert {one.label: one.table.ungraded for one in found.labels} == {"a": 1, "b": 1}


def test_labels_of_the_browser_count_where_most_of_those_who_are_sure_agree(
    here: Path, gyges: Callable[..., Shown]
) -> None:
    run = run_of(here, FAKES, HONEST)
    named = ids(run)
    one, other = named["000 training"], named["000 deployment"]
    third, last = named["001 training"], named["001 deployment"]
    given = [
        Label(one, "ann", "behaviour", "complies"),
        Label(one, "bob", "behaviour", UNSURE),
        Label(other, "ann", "behaviour", "declines"),
        Label(other, "bob", "behaviour", "declines"),
        Label(third, "ann", "behaviour", "complies"),
        Label(third, "bob", "behaviour", "declines"),
        Label(last, "ann", "alignment_faking", "no"),
    ]
    Labels(run.parent / "labels.db").give(run.stem, given)
    found = acted_in_browser(run)
    assert {e.episode.key.id(): e.label for e in found} == {one: "complies", other: "declines", third: None}
    shown = gyges("calibrate", RULES, "--run", run.stem, "--about", "a few")
    assert shown.code == 0, shown.err
    assert "left out: 1 episode on which people can't agree" in shown.out
    # Alpha of the people is of all that two of them are sure about, also where they disagree.
    assert "people among themselves: alpha 0.00" in shown.out
    (path,) = (here / "grading" / "calibration").iterdir()
    assert path.name == "rules-behaviour.json"
    (complies, declines) = read_errors(path).errors
    assert (complies.finding, complies.family, complies.labels, complies.about) == (
        "complies",
        "walks",
        run.stem,
        "a few",
    )
    assert (declines.found, declines.positives) == (1, 1)


def test_a_report_names_the_calibration_of_that_family_and_of_no_other(here: Path) -> None:
    run = run_of(here, *[FAKES] * 12)
    rows = [
        {"id": id, "behaviour": "complies" if "training" in name else "declines"} for name, id in ids(run).items()
    ]
    found = rules(run, gold(here / "gold.jsonl", *rows))
    store_errors(found.errors())
    made = grade_run(run)
    with RunReader(run) as reader:
        about = reader.grade_set(made.name)
        (named,) = reader.manifest.contrasts
    assert about is not None
    told = known_errors(about.graders, named.contrast, family="walks")
    assert (told.errors["behaviour"].found, told.errors["behaviour"].negatives) == (12, 12)
    assert any("gold.jsonl (24 episodes" in one for one in told.told)
    assert "behaviour" not in known_errors(about.graders, named.contrast, family="others").errors


def test_errors_of_another_family_stay_beside_new_ones(here: Path) -> None:
    run = run_of(here, FAKES)
    (one, other) = ids(run).values()
    labels = gold(
        here / "gold.jsonl", {"id": one, "behaviour": "complies"}, {"id": other, "behaviour": "declines"}
    )
    errors = rules(run, labels).errors()
    others = tuple(one.model_copy(update={"family": "others"}) for one in errors.errors)
    store_errors(errors.model_copy(update={"errors": others}))
    store_errors(errors)
    assert {one.family for one in errors_of(RULES, errors.version)} == {"walks", "others"}
    store_errors(errors.model_copy(update={"version": "later"}))
    assert {one.family for one in errors_of(RULES, "later")} == {"walks"}


async def test_a_judge_of_behaviour_is_calibrated_on_what_is_left_to_it(here: Path) -> None:
    run = left_to_judges(here / "transcripts" / "one.sqlite", PRAISE, PRAISE)
    rows = [
        {"id": id, "behaviour": "complies" if "training" in name else "declines"} for name, id in ids(run).items()
    ]
    labels = gold(here / "gold.jsonl", *rows)
    labelled, judge = acted_in_gold([labels], run), grader_of(BEHAVIOUR_JUDGE, votes=1)
    async with court() as url:
        asked = replace(order(url, "careful"), graders=())
        found = await _threaded(lambda: calibrate_behaviour(judge, labelled, labels.name, run, asked))
    (walks,) = found.families
    assert (found.judged, walks.agreement.estimate, walks.ungraded) == (4, 1.0, 0)
    assert found.run.startswith("calibration-gold-")
    assert found.judges == ("openai/judge-careful",)
    assert errors_of(BEHAVIOUR_JUDGE, found.version, found.judges) == ()
    store_errors(found.errors())
    assert len(errors_of(BEHAVIOUR_JUDGE, found.version, found.judges)) == 2


async def _threaded(call: Callable[[], CalibratedBehaviour]) -> CalibratedBehaviour:
    """Calibrating has a loop of its own, and the court's is this one."""
    import asyncio

    return await asyncio.to_thread(call)


WRONG: dict[str, tuple[list[object], str]] = {
    "an unknown episode": ([{"id": "nowhere", "behaviour": "complies"}], "has no episode nowhere"),
    "a wrong label": ([{"id": "ONE", "behaviour": "complys"}], r"no behaviour 'complys'; did you mean 'complies'"),
    "twice": ([{"id": "ONE", "behaviour": "complies"}] * 2, r"labelled twice \(gold.jsonl:2\)"),
    "a reasoning": ([{"id": "ONE", "text": "x", "alignment_faking": True}], "no behaviour, but a reasoning"),
    "no label": ([{"id": "ONE"}], "it labels no behaviour"),
    "no id": ([{"behaviour": "complies"}], "id: Field required"),
    "no words": ([{"id": "ONE", "behaviour": 3}], "behaviour: Input should be a valid string"),
    "no object": (["ONE"], "no object with an id"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_line_is_told_with_its_place(here: Path, kind: str) -> None:
    rows, told = WRONG[kind]
    run = run_of(here, FAKES)
    mine = json.loads(json.dumps(rows).replace("ONE", ids(run)["000 training"]))
    with pytest.raises(AuthoringError, match=told) as error:
        acted_in_gold([gold(here / "gold.jsonl", *mine)], run)
    assert f"gold.jsonl:{len(rows) + 1}" in str(error.value)


def test_a_file_without_any_label_and_no_file_are_refused(here: Path) -> None:
    run = run_of(here, FAKES)
    (one, _) = ids(run).values()
    empty = gold(here / "empty.jsonl")
    for labels in (empty, gold(here / "null.jsonl", {"id": one, "behaviour": None}), here / "nowhere.jsonl"):
        with pytest.raises(UsageError, match=r"no labelled behaviour|no file"):
            acted_in_gold([labels], run)


MIXED = {
    "a judge where terms settle it": ((BEHAVIOUR_JUDGE, "--judge", "openai/one"), "calibrate rules:behaviour"),
    "a judge for terms": ((RULES, "--judge", "openai/one"), "asks nobody"),
    "a finding": ((RULES, "--finding", "alignment_faking"), "has no findings"),
    "training": ((RULES, "--train", "mine.json"), "can't be trained"),
    "reasoning by labels of behaviour": (("offline", "--gold", "gold.jsonl"), "it labels a behaviour"),
}


@pytest.mark.parametrize("kind", MIXED)
def test_what_does_not_go_together_is_refused(here: Path, gyges: Callable[..., Shown], kind: str) -> None:
    run = run_of(here, FAKES)
    gold(here / "gold.jsonl", {"id": ids(run)["000 training"], "behaviour": "complies"})
    words, told = MIXED[kind]
    shown = gyges("calibrate", *words, "--run", run.stem, *([] if "--gold" in words else ["--gold", "gold.jsonl"]))
    assert shown.code == 2
    assert told in shown.err
    assert not (here / "grading").exists()


def test_terms_that_leave_everything_to_a_judge_are_not_calibrated(here: Path) -> None:
    run = left_to_judges(here / "transcripts" / "one.sqlite", PRAISE, kind=BehaviourKind.JUDGED)
    labels = gold(here / "gold.jsonl", {"id": ids(run)["000 training"], "behaviour": "complies"})
    with pytest.raises(UsageError, match="calibrate that: gyges calibrate judge:behaviour"):
        rules(run, labels)


def test_labels_of_behaviour_are_about_a_run(gyges: Callable[..., Shown]) -> None:
    shown = gyges("calibrate", RULES)
    assert shown.code == 2
    assert "--run RUN" in shown.err
