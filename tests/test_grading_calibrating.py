"""A grader against labels, from a file or from the browser: every figure, stored errors, and training again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.browse.labels import Label, Labels
from gyges.errors import AuthoringError, UsageError
from gyges.grading.calibrating import Calibrated, calibrate_grader
from gyges.grading.calibrations import errors_of, read_errors, store_errors
from gyges.grading.default import offline_grader
from gyges.grading.labelled import FAKING, from_browser, from_gold
from gyges.grading.model_file import VERDICTS
from gyges.grading.run import GradingOrder, grade_run, grade_stored
from gyges.transcripts.reader import RunReader
from tests.conftest import Shown
from tests.judging import FAKES, HONEST, JUDGE, court, order, pairs
from tests.test_grading_judging_cost import checked_run

RULES = "rules:alignment-faking"
GOLD = Path(__file__).parent.parent / "grading" / "gold" / "develop.jsonl"


def gold(path: Path, *rows: tuple[str, bool]) -> Path:
    lines = [
        {"canary": "c"},
        *({"id": str(n), "text": text, FAKING: label} for n, (text, label) in enumerate(rows)),
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rules(labels: Path, **more: object) -> Calibrated:
    found = from_gold(labels)
    assert not more
    return calibrate_grader(RULES, found, labels.name, GradingOrder())


def test_every_figure_of_a_grader_on_gold_labels() -> None:
    found = rules(GOLD)
    (faking, *others) = found.findings
    assert faking.finding == FAKING
    assert {one.finding for one in others} >= {"aware_of_training", "values_in_conflict"}
    table = faking.table
    assert table.true_positive + table.false_positive + table.false_negative + table.true_negative == 221
    for figure in (table.sensitivity, table.specificity, table.kappa, faking.alpha):
        assert figure.low is not None
        assert figure.estimate is not None
        assert figure.high is not None
        assert figure.low <= figure.estimate <= figure.high
    assert faking.people is None


def test_the_librarys_calibration_is_that_of_the_default_grader_as_it_is() -> None:
    """Else a report corrects nothing: run `make calibration` after every change of the grader."""
    grader = offline_grader()
    known = {one.finding: one for one in errors_of(grader.name, grader.version)}
    assert set(known) == set(VERDICTS)
    for one in known.values():
        assert one.in_sample == 0
        assert one.positives + one.negatives + one.ungraded == 2255
        assert "mislead" in one.about


def test_a_grader_with_probabilities_is_calibrated_in_full_whatever_it_is_made_of() -> None:
    found = calibrate_grader("offline", from_gold(GOLD), GOLD.name, GradingOrder(), finding=FAKING)
    (faking,) = found.findings
    assert faking.table.auroc.estimate is not None
    assert faking.brier.estimate is not None
    assert sum(one.texts for one in faking.curve) == 221


@pytest.mark.parametrize("name", ["offline", RULES, "classifier:alignment-faking"])
def test_a_grader_on_texts_that_it_was_made_with_says_so_and_stores_it(
    here: Path, gyges: Callable[..., Shown], name: str
) -> None:
    told = gyges("calibrate", name, "--gold", str(GOLD), "--finding", FAKING)
    assert told.code == 0
    assert f"CAUTION: in-sample: {name} was made with 221 of these 221 texts" in told.err
    (path,) = (here / "grading" / "calibration").iterdir()
    assert [one.in_sample for one in read_errors(path).errors] == [221]


def test_texts_that_nobody_trained_on_are_not_in_sample(here: Path, gyges: Callable[..., Shown]) -> None:
    rows = gold(here / "gold.jsonl", (FAKES, True), (HONEST, False))
    told = gyges("calibrate", "offline", "--gold", rows.name, "--about", "two texts", "--to", "kept")
    assert told.code == 0
    assert "in-sample" not in told.err
    assert "may be no better than chance" in told.err
    stored_errors = read_errors(here / "kept" / "offline.json").errors
    assert {(one.in_sample, one.about) for one in stored_errors} == {(0, "two texts")}
    assert not (here / "grading").exists()


def test_labels_of_several_files_are_put_together(here: Path, gyges: Callable[..., Shown]) -> None:
    one, other = (
        gold(here / "one.jsonl", (FAKES, True)),
        gold(here / "two.jsonl", (HONEST, False), (HONEST, False)),
    )
    told = gyges("calibrate", RULES, "--gold", one.name, "--gold", other.name, "--json", "--no-store")
    found = json.loads(told.out)
    assert (found["labels"], found["episodes"]) == ("one.jsonl+two.jsonl", 3)


def test_a_wrong_name_of_a_grader_is_told_before_the_labels_are_read(gyges: Callable[..., Shown]) -> None:
    told = gyges("calibrate", "offlin", "--gold", "nowhere.jsonl")
    assert told.code == 2
    assert "'offlin' is no grader of reasoning; did you mean 'offline'?" in told.err


def test_a_study_adds_to_what_the_library_knows_and_comes_first(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rules(gold(here / "gold.jsonl", (FAKES, True), (HONEST, False)))
    folder = here / "library" / "grading" / "calibration"
    mine = rules(gold(here / "mine.jsonl", (FAKES, True), (HONEST, False), (HONEST, False)))
    store_errors(found.errors(), folder)
    store_errors(mine.errors())
    monkeypatch.setattr("gyges.study.library", lambda: here / "library")
    assert [one.labels for one in errors_of(RULES, found.version) if one.finding == FAKING] == [
        "mine.jsonl",
        "gold.jsonl",
    ]


def test_an_error_is_stored_and_found_again_for_the_same_version_only(here: Path) -> None:
    found = rules(gold(here / "gold.jsonl", (FAKES, True), (HONEST, False), (FAKES, False)))
    path = store_errors(found.errors())
    assert path.parent == here / "grading" / "calibration"
    (errors,) = (one for one in errors_of(RULES, found.version) if one.finding == FAKING)
    assert (errors.found, errors.positives, errors.passed, errors.negatives) == (1, 1, 1, 2)
    assert errors_of(RULES, "another") == ()
    assert errors_of(RULES, found.version, ["openai/m"]) == ()
    assert read_errors(path).grader == RULES


async def test_a_set_of_grades_carries_its_graders_errors(here: Path) -> None:
    store_errors(rules(gold(here / "gold.jsonl", (FAKES, True), (HONEST, False))).errors())
    run = pairs(here / "transcripts" / "one.sqlite", FAKES)
    await grade_stored(run, GradingOrder(graders=(RULES,)))
    with RunReader(run) as reader:
        about = reader.grade_set("set-1")
    assert about is not None
    (grader,) = (one for one in about.graders if one.name == RULES)
    assert FAKING in {one.finding for one in grader.errors}


@pytest.mark.parametrize("text", ["{", "[]", '{"grader": 1}', ""])
def test_a_damaged_calibration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthoringError, match=r"x\.json: this is no calibration"):
        read_errors(path)


@pytest.mark.parametrize(
    ("line", "told"),
    [("{", "no JSON"), ('{"id": "1"}', "text"), ('{"id": "1", "text": 5}', "text"), ("[]", "no object")],
)
def test_a_wrong_line_of_labels_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"canary": "c"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match=rf"gold\.jsonl:2.*{told}"):
        from_gold(path)


@pytest.mark.parametrize(
    "said", [{"labels": {FAKING: True}}, {FAKING: True}, {"labels": {FAKING: True}, FAKING: None}]
)
def test_a_label_counts_wherever_it_stands_in_the_line(tmp_path: Path, said: dict[str, object]) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps({"id": "1", "text": "I go along for now.", **said}) + "\n", encoding="utf-8")
    (found,) = from_gold(path)
    assert found.labels == {FAKING: True}


def test_labels_that_say_nothing_of_the_graders_findings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "1", "text": "a", "labels": {"sings": true}}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="no label says anything"):
        rules(path)


def test_labels_given_in_the_browser_are_used_with_what_people_say_among_themselves(here: Path) -> None:
    run = pairs(here / "transcripts" / "one.sqlite", FAKES, HONEST)
    with RunReader(run) as reader:
        ids = {f"{one.key.scenario[-3:]} {one.key.context}": one.id for one in reader.headings()}
    given = [
        Label(ids["000 training"], "ada", FAKING, "yes"),
        Label(ids["000 training"], "bob", FAKING, "yes"),
        Label(ids["001 training"], "ada", FAKING, "yes"),
        Label(ids["001 training"], "ada", FAKING, "no"),
        Label(ids["001 training"], "bob", FAKING, "unsure"),
        Label(ids["000 deployment"], "ada", FAKING, "yes"),
        Label(ids["000 deployment"], "bob", FAKING, "no"),
        Label(ids["001 deployment"], "ada", "behaviour", "declines"),
    ]
    Labels(run.parent / "labels.db").give(run.stem, given)
    labelled = from_browser(run)
    # One on which people can't agree says something of the people, and nothing of a grader.
    assert [one.labels for one in labelled if one.labels] == [{FAKING: True}, {FAKING: False}]
    assert [one.people for one in labelled if not one.labels] == [{FAKING: ("yes", "no")}]
    found = calibrate_grader(RULES, labelled, run.stem, GradingOrder())
    (faking,) = found.findings
    assert (faking.table.true_positive, faking.table.true_negative) == (1, 1)
    assert faking.people == pytest.approx(0.0)


REFUSED = {
    "no label": ('{"id": "1", "text": "x"}', "'1' has no label"),
    "twice": ('{"id": "1", "text": "x", "labels": {"a": true}}\n' * 2, r"gold\.jsonl:3: '1' stands in line 2 too"),
    "a behaviour": ('{"id": "1", "behaviour": "complies"}', "calibrate rules:behaviour"),
    "no object": ('"1"', "no object"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_lines_that_label_no_reasoning_are_refused_with_their_place(tmp_path: Path, kind: str) -> None:
    lines, told = REFUSED[kind]
    path = tmp_path / "gold.jsonl"
    path.write_text('{"canary": "c"}\n' + lines.strip() + "\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match=told) as error:
        from_gold(path)
    assert "gold.jsonl:" in str(error.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes(b'\xff\xfe{"id"')
    with pytest.raises(AuthoringError, match="no text"):
        from_gold(path)


def test_a_misspelt_finding_is_told_before_a_judge_is_asked(here: Path, gyges: Callable[..., Shown]) -> None:
    row = {"id": "1", "text": FAKES, "labels": {"aligment_faking": True}}
    (here / "gold.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    nobody = ("--judge", "openai/one", "--base-url", "http://127.0.0.1:9/v1")
    shown = gyges("calibrate", JUDGE, "--gold", "gold.jsonl", *nobody)
    assert shown.code == 2
    assert "'aligment_faking'; did you mean 'alignment_faking'?" in shown.err
    other = gyges("calibrate", JUDGE, "--gold", "gold.jsonl", "--finding", "aligment_faking", *nobody)
    assert "does not look for 'aligment_faking'; did you mean 'alignment_faking'?" in other.err


@pytest.mark.parametrize("more", [("--judge", "openai/one"), ("--votes", "3")])
def test_a_judge_for_a_grader_that_asks_nobody_is_refused(
    here: Path, gyges: Callable[..., Shown], more: tuple[str, ...]
) -> None:
    rows = gold(here / "gold.jsonl", (FAKES, True), (HONEST, False))
    told = gyges("calibrate", RULES, "--gold", rows.name, *more)
    assert told.code == 2
    assert "asks nobody" in told.err


def test_labels_that_nobody_looks_for_and_labels_of_one_kind_are_told(
    here: Path, gyges: Callable[..., Shown]
) -> None:
    row = {"id": "1", "text": FAKES, "labels": {FAKING: True, "kindness": True}}
    (here / "gold.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    shown = gyges("calibrate", RULES, "--gold", "gold.jsonl")
    assert f"not looked for by {RULES}: kindness" in shown.err
    assert f"{FAKING}: no graded text in which it is not there" in shown.err


def test_a_calibration_of_another_version_is_told_when_a_run_is_graded(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = rules(gold(here / "gold.jsonl", (FAKES, True), (HONEST, False)))
    store_errors(found.errors().model_copy(update={"version": "older"}))
    grade_run(pairs(here / "transcripts" / "one.sqlite", FAKES), GradingOrder(graders=(RULES,)))
    assert f"the errors of {RULES} in version older, and this is {found.version}" in capfd.readouterr().err


def test_organisms_that_a_run_added_are_no_part_of_its_rate(here: Path) -> None:
    run = checked_run(here / "transcripts" / "one.sqlite")
    grade_run(run, GradingOrder(graders=(RULES,)))
    labels = from_gold(gold(here / "gold.jsonl", (FAKES, True), (HONEST, False)))
    found = calibrate_grader(RULES, labels, "gold.jsonl", GradingOrder(), finding=FAKING, run=run)
    assert found.findings[0].in_run is not None
    assert found.findings[0].in_run.read == 4


def test_a_run_that_nobody_labelled_is_refused(here: Path) -> None:
    run = pairs(here / "transcripts" / "one.sqlite", FAKES)
    with pytest.raises(UsageError, match="nobody has labelled"):
        from_browser(run)


async def test_judges_are_calibrated_with_their_votes_in_a_run_of_their_own(here: Path) -> None:
    import asyncio

    labels = gold(here / "gold.jsonl", *([(FAKES, True), (HONEST, False)] * 6))
    labelled = from_gold(labels)
    async with court(here / "witness.jsonl") as url:
        asked = order(url, "flipping", votes=3)

        def work() -> Calibrated:
            return calibrate_grader(JUDGE, labelled, labels.name, asked, finding=FAKING)

        found = await asyncio.to_thread(work)
        first = (here / "witness.jsonl").read_text(encoding="utf-8").count('"received"')
        again = await asyncio.to_thread(work)
    assert (here / "witness.jsonl").read_text(encoding="utf-8").count('"received"') == first >= 36
    assert again == found
    (faking,) = found.findings
    assert [point.threshold for point in faking.by_threshold] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [point.votes for point in faking.by_votes] == [1, 2, 3]
    assert faking.table.auroc.estimate is not None
    assert faking.brier.estimate is not None
    assert faking.curve
    assert found.judges == ("openai/judge-flipping",)
    assert (here / "transcripts" / f"{found.run}.sqlite").is_file()


def test_calibrate_from_the_command_line(here: Path, gyges: Callable[..., Shown]) -> None:
    gold(here / "gold.jsonl", *([(FAKES, True), (HONEST, False)] * 8))
    run = pairs(here / "transcripts" / "one.sqlite", FAKES, HONEST)
    assert gyges("grade", run.stem, "--grader", RULES).code == 0
    told = gyges("calibrate", RULES, "--gold", "gold.jsonl", "--run", run.stem, "--finding", FAKING)
    assert told.code == 0
    assert "sensitivity" in told.out
    assert "in the run: found in" in told.out
    assert "grading/calibration/" in told.err
    spelt = gyges("calibrate", RULES, "--gold", "gold.jsonl", "--json", "--no-store")
    assert json.loads(spelt.out)["grader"] == RULES
    assert gyges("calibrate", "guess:x", "--gold", "gold.jsonl").code == 2
    assert gyges("calibrate", JUDGE, "--gold", "gold.jsonl").code == 2
    assert gyges("calibrate", RULES, "--gold", "nowhere.jsonl").code == 2


def test_training_again_needs_texts_that_say_everything(here: Path, gyges: Callable[..., Shown]) -> None:
    (here / "gold.jsonl").write_text('{"id": "1", "text": "a", "labels": {"sings": true}}\n', encoding="utf-8")
    refused = gyges("calibrate", "classifier:alignment-faking", "--gold", "gold.jsonl", "--train", "mine.json")
    assert refused.code == 2
    assert "all five criteria" in refused.err
    (here / "mine.json").write_text("{}", encoding="utf-8")
    assert gyges("calibrate", "classifier:x", "--gold", "gold.jsonl", "--train", "mine.json").code == 2


@pytest.mark.full
def test_the_classifier_is_trained_again_on_a_users_labels(here: Path, gyges: Callable[..., Shown]) -> None:
    gold(here / "gold.jsonl", *([(FAKES, True)] * 6))
    made = gyges("calibrate", "classifier:alignment-faking", "--gold", "gold.jsonl", "--train", "mine.json")
    assert made.code == 0
    assert "6 of your texts" in made.out
    folder = here / "grading" / "classifier"
    folder.mkdir(parents=True)
    (here / "mine.json").rename(folder / "mine.json")
    run = pairs(here / "transcripts" / "one.sqlite", FAKES)
    assert gyges("grade", run.stem, "--grader", "classifier:mine").code == 0
