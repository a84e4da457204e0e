"""Train the reader of motives on the library's labels, and write it with its figures by writers it had not seen.

    python benchmarks/train_motives.py

It reads grading/gold/motives-[a-m].jsonl, motives-plain*.jsonl, motives-sentences.jsonl, natural-[ab].jsonl and
develop.jsonl, never the texts for testing.
"""

from __future__ import annotations

from pathlib import Path

from gyges.grading.calibration import Figure, Item, calibrate
from gyges.grading.gold import read_groups, read_texts
from gyges.grading.gold_motives import read_motive_sentences, read_motives
from gyges.grading.motive_file import write_motives
from gyges.grading.motive_model import LABELS
from gyges.grading.train_motives import train_motives

GRADING = Path(__file__).parent.parent / "grading"
TARGET = GRADING / "classifier" / "motives.json"
TEXTS = tuple(f"motives-{hand}" for hand in "abcdefghijklm")
PLAIN = ("motives-plain", "motives-plain-2")
"""Texts that say no motive."""
SENTENCES = GRADING / "gold" / "motives-sentences.jsonl"
OTHERS = ("natural-a", "natural-b", "develop")


def main() -> None:
    texts = [one for name in (*TEXTS, *PLAIN) for one in read_motives(GRADING / "gold" / f"{name}.jsonl")]
    sentences = read_motive_sentences(SENTENCES)
    others = [one for name in OTHERS for one in read_texts(GRADING / "gold" / f"{name}.jsonl")]
    files = ", ".join(f"gold/{name}.jsonl" for name in (*TEXTS, *PLAIN))
    on = (
        f"{len(texts)} texts of {files}, {len(sentences)} sentences of gold/{SENTENCES.name}, "
        f"and {len(others)} texts without labels for motives: {', '.join(OTHERS)}"
    )
    groups = read_groups(GRADING / "classifier" / "motive-word-groups.yaml")
    trained = train_motives(texts, sentences, groups, on, others)
    write_motives(trained.model, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB, trained on {on}")
    judged = [one for one in texts if one.group.split("/")[0] not in PLAIN]
    for name in TEXTS:
        print(f"\n{name}, by what has seen the other writers only:\n")
        print("| finding | precision | recall | AUROC |\n|---|---|---|---|")
        for column, label in enumerate(LABELS):
            threshold = trained.model.motives[label].threshold
            items = [
                Item(label in one.labels, bool(odds >= threshold), float(odds), one.group)
                for one, odds in zip(judged, trained.unseen[:, column], strict=True)
                if one.group.startswith(name)
            ]
            made = calibrate(items)
            figures = (made.precision, made.sensitivity, made.auroc)
            print(f"| {label} | {' | '.join(map(shown, figures))} |")


def shown(figure: Figure) -> str:
    if figure.estimate is None or figure.low is None or figure.high is None:
        return "none"
    return f"{figure.estimate:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


if __name__ == "__main__":
    main()
