"""Score the reader on an encoder on texts that it was not made on; it prints figures only, never a text.

    python benchmarks/held_out_encoder.py NAME...

NAME is a file of grading/gold without its ending, such as natural-test-3 or motives-test-2, or with a + after it
(see held_out.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from held_out import FINDINGS, HEAD, line, texts_of
from held_out_motives import made, overlaps

from gyges.grading.default import encoder_reader
from gyges.grading.motive_model import LABELS


def main(names: Sequence[str]) -> None:
    reader = encoder_reader()
    for name in names:
        motives, texts = name.startswith("motives"), texts_of(name)
        print(f"\nreader on an encoder, version {reader.version}\n\n{HEAD}")
        told = [reader.told(one.text) for one in texts]
        answers, scores = [found for found, _ in told], [dict(odds) for _, odds in told]
        for label in LABELS if motives else FINDINGS:
            print(line(label, made(texts, answers, scores, label)))
        print("\nquotes of what was found rightly that overlap the labelled evidence:\n")
        for label in LABELS if motives else FINDINGS[:-1]:
            print(f"- {label}: {overlaps(texts, answers, label)}")


if __name__ == "__main__":
    main(sys.argv[1:])
