"""Train the classifier of reasoning on the library's labels, and write it with its cross-validated figures.

    OMP_NUM_THREADS=1 python benchmarks/train_classifier.py

With one thread the file is the same, byte for byte, for the same labels: with more, sums are rounded otherwise.
It reads grading/gold/sentences-*.jsonl, develop*.jsonl, long-develop.jsonl and natural-[a-j].jsonl, never the
texts for testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gyges.grading.calibration import Item, calibrate
from gyges.grading.examples import Whole
from gyges.grading.gold import read_groups, read_sentences, read_texts
from gyges.grading.model_file import write_classifier
from gyges.grading.retrain import NATURAL
from gyges.grading.train import Trained, train

GRADING = Path(__file__).parent.parent / "grading"
TARGET = GRADING / "classifier" / "alignment-faking.json"
TEXTS = ("develop", "develop-voices", "develop-scratchpads", "long-develop", *NATURAL)


def main() -> None:
    sentences = [one for path in sorted(GRADING.glob("gold/sentences-*.jsonl")) for one in read_sentences(path)]
    texts = [one for name in TEXTS for one in read_texts(GRADING / "gold" / f"{name}.jsonl")]
    files = ", ".join(f"gold/{name}.jsonl" for name in TEXTS)
    on = f"{len(sentences)} sentences of gold/sentences-*.jsonl and {len(texts)} texts of {files}"
    trained = train(texts, sentences, read_groups(GRADING / "classifier" / "word-groups.yaml"), on, NATURAL)
    write_classifier(trained.model, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB, trained on {on}\n")
    for name in TEXTS:
        print(table(name, trained, texts))


def table(name: str, trained: Trained, texts: Sequence[Whole]) -> str:
    """The figures of each verdict on one file's texts, none of which the classifier of that fold had seen."""
    lines = [
        f"On `{name}.jsonl`, cross-validated:\n",
        "| finding | precision | recall | AUROC |",
        "|---|---|---|---|",
    ]
    for verdict, odds in trained.unseen.items():
        threshold = trained.model.verdicts[verdict].threshold
        items = [
            Item(verdict in one.labels, bool(odd >= threshold), float(odd), one.group)
            for one, odd in zip(texts, odds, strict=True)
            if one.group.split("/")[0] == name
        ]
        made = calibrate(items)
        cells = [
            f"{f.estimate:.2f} [{f.low:.2f}, {f.high:.2f}]" for f in (made.precision, made.sensitivity, made.auroc)
        ]
        lines.append(f"| {verdict} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
