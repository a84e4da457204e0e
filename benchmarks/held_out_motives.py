"""Score what finds motives on texts that it was not made on; it prints figures only, never a text.

    python benchmarks/held_out_motives.py [NAME...]

NAME is a file of grading/gold without its ending: motives-test (the default), or one for development, or with a +
after it (see held_out.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from held_out import HEAD, line, texts_of

from gyges.grading.calibration import Calibration, Item, calibrate
from gyges.grading.default import motives_reader
from gyges.grading.examples import Whole
from gyges.grading.motive_model import LABELS
from gyges.transcripts.grades import Finding, Ungraded


def main(names: Sequence[str]) -> None:
    reader = motives_reader()
    for name in names:
        texts = texts_of(name)
        print(f"\n{reader.name}, version {reader.version}\n\n{HEAD}")
        answers = [reader.read(one.text) for one in texts]
        scores = [probabilities(reader.told(one.text)) for one in texts]
        for label in LABELS:
            print(line(label, made(texts, answers, scores, label)))
        print("\nquotes of what was found rightly that overlap the labelled evidence:\n")
        for label in LABELS:
            print(f"- {label}: {overlaps(texts, answers, label)}")
        print(f"\n{reader.rules.name}, version {reader.rules.version}\n\n{HEAD}")
        by_rules = [reader.rules.read(one.text) for one in texts]
        for label in LABELS:
            print(line(label, made(texts, by_rules, [{}] * len(texts), label)))


def probabilities(told: object) -> dict[str, float]:
    odds = getattr(told, "odds", None)
    return {} if isinstance(told, Ungraded) or odds is None else dict(odds)


def made(
    texts: Sequence[Whole], answers: Sequence[Sequence[Finding]], scores: Sequence[dict[str, float]], label: str
) -> Calibration:
    items = []
    for one, answer, score in zip(texts, answers, scores, strict=True):
        found = any(finding.name == label for finding in answer)
        items.append(Item(label in one.labels, found, score.get(label, float(found)), group=one.group))
    return calibrate(items)


def overlaps(texts: Sequence[Whole], answers: Sequence[Sequence[Finding]], label: str) -> str:
    right = quoted = 0
    for one, answer in zip(texts, answers, strict=True):
        spans = [(said.start, said.end) for said in one.said or () if said.label == label]
        for finding in answer:
            if finding.name == label and spans:
                place = finding.evidence[0]
                quoted += 1
                right += any(start < place.end and place.start < end for start, end in spans)
    return f"{right} of {quoted}"


if __name__ == "__main__":
    main(sys.argv[1:] or ["motives-test"])
