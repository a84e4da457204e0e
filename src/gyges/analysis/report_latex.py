"""The report as LaTeX tables for a paper (booktabs), one a family and contrast. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from gyges.analysis import check_words, sentences, words
from gyges.analysis.controls import Control
from gyges.analysis.interval import Estimate
from gyges.analysis.result import ContrastResult, Report

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def to_latex(reports: Sequence[Report]) -> str:
    """Tables of gaps with their intervals in percentage points; needs `\\usepackage{booktabs}`."""
    return "\n".join(line for report in reports for line in _report(report)) + "\n"


def escaped(text: str) -> str:
    """Text from data with every character escaped that LaTeX would obey."""
    return "".join(_SPECIAL.get(character, character) for character in words.printable(text))


def _report(report: Report) -> Iterator[str]:
    yield f"% gyges, run {words.printable(report.run + words.by_grades(report))}"
    yield from (f"% {words.printable(line)}" for line in sentences.conduct(report.provenance))
    if report.check:
        yield f"% {words.printable(check_words.verdict(report.check))}"
    for (family, contrast, _), group in groupby(report.contrasts, key=lambda r: (r.family, r.contrast, r.target)):
        yield from _table(family, contrast, list(group), report.organisms)


def _table(
    family: str, contrast: tuple[str, str], results: Sequence[ContrastResult], organisms: bool
) -> Iterator[str]:
    first, second = map(escaped, contrast)
    m = sorted({result.scenarios_in_gap for result in results})
    scenarios = f"{m[0]}" if len(m) == 1 else f"{m[0]} to {m[-1]}"
    caption = (
        f"{escaped(family)}: share complying in {first} less {second}, percentage points, mean over "
        f"{scenarios} scenarios, with 95\\% intervals clustered by scenario. "
        r"\textsuperscript{*}\,exact bound. \textsuperscript{\dag}\,not reportable. "
        r"\textsuperscript{\ddag}\,the split is not reportable."
    )
    yield from (r"\begin{table}", r"\centering", f"\\caption{{{caption}{_note(organisms)}}}")
    yield from (r"\begin{tabular}{lrrrr}", r"\toprule")
    yield r"agent & gap & revealed & silent & pairs \\"
    yield r"\midrule"
    yield from (row for result in results for row in (_row(result), *map(_control, result.controls)))
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{table}")


def _note(organisms: bool) -> str:
    return f" {words.VALIDATION}" if organisms else ""


def _row(result: ContrastResult) -> str:
    mark = "" if result.reportable else r"\textsuperscript{\dag}"
    split = r"\textsuperscript{\ddag}" if words.withheld(result) else ""
    parts = (_figure(part) + split for part in (result.revealed_gap, result.silent_gap))
    return " & ".join((escaped(result.agent) + mark, _figure(result.gap), *parts, str(result.pairs))) + r" \\"


def _control(control: Control) -> str:
    """A control arm, indented below its result; its difference from the gap stands in words elsewhere."""
    pairs = str(min(control.planned.values()))
    return " & ".join((rf"\quad {control.kind} control", _figure(control.gap), "", "", pairs)) + r" \\"


def _figure(estimate: Estimate | None) -> str:
    star = r"\textsuperscript{*}" if words.exact(estimate) else ""
    return words.difference(estimate).replace("-", r"\ensuremath{-}") + star
