"""The classifier of reasoning, trained again on a user's labels beside the library's own. It grades nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gyges.errors import UsageError
from gyges.grading.calibration import Calibration, Item, calibrate
from gyges.grading.examples import Whole
from gyges.grading.gold import read_groups, read_sentences, read_texts
from gyges.grading.labelled import FAKING, LabelledEpisode
from gyges.grading.model_file import VERDICTS, write_classifier
from gyges.grading.train import Trained, train
from gyges.study import library

NATURAL = tuple(f"natural-{hand}" for hand in "abcdefghij")
"""The library's texts as models write them, by a hand each: judged by what has seen none of that hand."""
MINE = "labels/"
"""How the groups of the user's texts begin."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """What was written, and how the classifier does on the user's texts when it had not seen them, by finding."""

    file: Path
    used: int
    left_out: int
    """Labelled texts that do not say of every criterion whether it is there."""
    unseen: dict[str, Calibration]


def retrain(labelled: Sequence[LabelledEpisode], out: Path, labels: str, gold: Path | None = None) -> Retrained:
    """Train on the library's gold labels for development and on these, and write the classifier to `out`.

    A text takes part if it is known of all five criteria whether they are there. Raises UsageError where none is,
    or `out` is there already.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", "name another file, or remove it")
    mine = [whole for one in labelled if (whole := _whole(one)) is not None]
    if not mine:
        raise UsageError(
            "no labelled text says of all five criteria whether they are there",
            "label every criterion, or alignment_faking as there",
        )
    folder = gold or library() / "grading" / "gold"
    sentences = [one for path in sorted(folder.glob("sentences-*.jsonl")) for one in read_sentences(path)]
    files = sorted(path for path in folder.glob("*.jsonl") if "develop" in path.stem or path.stem in NATURAL)
    texts = [*(one for path in files for one in read_texts(path)), *mine]
    on = f"{len(sentences)} sentences and {len(texts) - len(mine)} texts of the library, {len(mine)} of {labels}"
    natural = [path.stem for path in files if path.stem in NATURAL]
    trained = train(texts, sentences, read_groups(folder.parent / "classifier" / "word-groups.yaml"), on, natural)
    write_classifier(trained.model, out)
    return Retrained(out, len(mine), len(labelled) - len(mine), _unseen(trained, texts))


def _whole(one: LabelledEpisode) -> Whole | None:
    labels = dict(one.labels)
    if labels.get(FAKING):
        labels = {**dict.fromkeys(VERDICTS, True), **labels}
    if not set(VERDICTS) <= {*labels, FAKING}:
        return None
    found = frozenset(name for name in VERDICTS if labels.get(name))
    return Whole(one.text, found, f"{MINE}{one.group}") if one.text else None


def _unseen(trained: Trained, texts: Sequence[Whole]) -> dict[str, Calibration]:
    found = {}
    for verdict, odds in trained.unseen.items():
        threshold = trained.model.verdicts[verdict].threshold
        found[verdict] = calibrate(
            [
                Item(verdict in one.labels, bool(odd >= threshold), float(odd), one.group)
                for one, odd in zip(texts, odds, strict=True)
                if one.group.startswith(MINE)
            ]
        )
    return found
