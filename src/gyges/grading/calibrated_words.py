"""A grader against labels, in words and as JSON. It computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from gyges.errors import several
from gyges.grading.calibrating import Calibrated
from gyges.grading.calibrating_behaviour import CalibratedBehaviour
from gyges.grading.calibration import Figure
from gyges.grading.calibration_behaviour import OfBehaviour
from gyges.grading.calibration_curves import InRun
from gyges.grading.retrain import Retrained


def to_json(calibrated: Calibrated | CalibratedBehaviour) -> str:
    return json.dumps(asdict(calibrated), indent=2)


def lines(calibrated: Calibrated) -> Iterator[str]:
    """For a terminal: a table of findings, then what else is known of each."""
    judges = f" with {', '.join(calibrated.judges)}" if calibrated.judges else ""
    texts = several(calibrated.episodes, "text")
    yield f"{calibrated.grader} {calibrated.version}{judges} against {texts} of {calibrated.labels}"
    for one in calibrated.findings:
        table = one.table
        yield f"\n{one.finding}: {one.labelled} labelled, {table.ungraded} ungraded"
        for name, figure in (
            ("sensitivity", table.sensitivity),
            ("specificity", table.specificity),
            ("precision", table.precision),
            ("AUROC", table.auroc),
            ("kappa", table.kappa),
            ("alpha", one.alpha),
            ("Brier", one.brier),
        ):
            yield f"  {name:<12} {shown(figure)}"
        if one.people is not None:
            yield f"  people among themselves: alpha {one.people:.2f}"
        for bin_ in one.curve:
            observed = shown(bin_.observed)
            span = f"{bin_.low:.1f}-{bin_.high:.1f}"
            yield f"  scores {span}: {several(bin_.texts, 'text')}, mean {bin_.mean:.2f}, there {observed}"
        for point in (*one.by_votes, *one.by_threshold):
            yield (
                f"  {several(point.votes, 'vote')}, threshold {point.threshold:.2f}: "
                f"sensitivity {shown(point.sensitivity)}, specificity {shown(point.specificity)}"
            )
        if one.in_run:
            yield f"  {_in_run(one.in_run)}"


def behaviour_lines(calibrated: CalibratedBehaviour) -> Iterator[str]:
    """For a terminal: of each family who says what, agreement, and each label by itself."""
    judges = f" with {', '.join(calibrated.judges)}" if calibrated.judges else ""
    labels = f"{several(calibrated.episodes, 'label')} ({calibrated.labels})"
    run = calibrated.labelled_run
    yield f"{calibrated.grader} {calibrated.version}{judges} against {labels} of what {run} shows"
    if calibrated.undecided:
        yield f"left out: {several(calibrated.undecided, 'episode')} on which people can't agree or can't say"
    if calibrated.judges:
        settled = calibrated.episodes - calibrated.judged
        yield f"judged: {calibrated.judged}; settled by the scenarios' own terms: {settled}"
    for of in calibrated.families:
        yield f"\n{of.family}: {of.labelled} labelled, {of.ungraded} ungraded{_reasons(of)}"
        yield from _confusion(of)
        yield f"  {'agreement':<12} {shown(of.agreement)}"
        yield f"  {'kappa':<12} {shown(of.kappa)}"
        yield f"  {'alpha':<12} {shown(of.alpha)}"
        if of.people is not None:
            yield f"  people among themselves: alpha {of.people:.2f}"
        for one in of.labels:
            table = one.table
            figures = (("sensitivity", table.sensitivity), ("specificity", table.specificity))
            told = ", ".join(
                f"{name} {shown(figure)}" for name, figure in (*figures, ("precision", table.precision))
            )
            yield f"  {one.label}: {told}"
            if one.in_run:
                yield f"    {_in_run(one.in_run)}"


def _reasons(of: OfBehaviour) -> str:
    told = ", ".join(f"{reason} {times}" for reason, times in of.reasons.items())
    return f" ({told})" if told else ""


def _confusion(of: OfBehaviour) -> Iterator[str]:
    """A row for what people say, a column for what the grader says."""
    names = list(of.confusion)
    heads = [*names, "ungraded"]
    width = max(map(len, [*names, "people say"]))
    yield f"  {'people say':<{width}}  {'  '.join(heads)}"
    for name, row in of.confusion.items():
        cells = (f"{row[answer]:>{len(head)}}" for answer, head in zip([*names, ""], heads, strict=True))
        yield f"  {name:<{width}}  {'  '.join(cells)}"


def _in_run(worth: InRun) -> str:
    return (
        f"in the run: found in {worth.seen} of {worth.read}, {shown(worth.raw)}; corrected "
        f"{shown(worth.prevalence)}; right in {shown(worth.predictive_value)} of what it found"
    )


def cautions(calibrated: Calibrated) -> Iterator[str]:
    """What speaks against every figure here."""
    if calibrated.in_sample:
        yield (
            f"in-sample: {calibrated.grader} was made with {calibrated.in_sample} of these {calibrated.episodes} "
            "texts, so every figure here flatters it. A report corrects no rate by them unless they are asked for "
            f"by name (gyges report --errors {calibrated.labels}); calibrate on texts that it has not met"
        )

    if calibrated.others:
        names = ", ".join(calibrated.others)
        yield f"labelled, and not looked for by {calibrated.grader}: {names} (a misspelt name is nobody's)"
    for one in calibrated.findings:
        table = one.table
        if not table.true_positive + table.false_negative or not table.true_negative + table.false_positive:
            side = "there" if not table.true_positive + table.false_negative else "not there"
            yield f"{one.finding}: no graded text in which it is {side}, so no rate is corrected by it; label some"
        elif (table.sensitivity.low or 0.0) + (table.specificity.low or 0.0) <= 1:
            yield (
                f"{one.finding}: by these labels the grader may be no better than chance (the lower ends of "
                "sensitivity and specificity do not add up to more than 1), so no rate is corrected by them"
            )


def shown(figure: Figure) -> str:
    """An estimate with its interval; a dash where there is none."""
    if figure.estimate is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.estimate:.2f}"
    return f"{figure.estimate:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def retrained_lines(made: Retrained) -> Iterator[str]:
    """For a terminal."""
    yield f"{made.file}: trained on {made.used} of your texts beside the library's; {made.left_out} left out"
    yield "on your texts, each by a classifier that had not seen it:"
    for name, table in made.unseen.items():
        figures = (
            f"precision {shown(table.precision)}, recall {shown(table.sensitivity)}, AUROC {shown(table.auroc)}"
        )
        yield f"  {name}: {figures}"
