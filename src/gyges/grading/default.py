"""The graders that a run is graded by, by their names, and the grading of many episodes. It knows no store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gyges.errors import UsageError
from gyges.grading.addressed import find_scanner, load_scanner
from gyges.grading.addressed_file import NAME as READER
from gyges.grading.behaviour import BehaviourGrader
from gyges.grading.encoder_file import NAME as ENCODER
from gyges.grading.encoder_file import load_encoder
from gyges.grading.encoder_reader import EncoderReader
from gyges.grading.encoding import load_words
from gyges.grading.grader import Grader, Judging, View, blinded
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_file import find_judge, load_rubric
from gyges.grading.label import read_label_spec
from gyges.grading.model_file import find_classifier, load_classifier
from gyges.grading.motive_file import load_motives
from gyges.grading.motive_reader import MotivesReader
from gyges.grading.motives import MOTIVES, MotivesGrader, OtherCues
from gyges.grading.offline import NAME, OfflineGrader
from gyges.grading.reasoning import ReasoningGrader
from gyges.grading.rules import find_rules, load_rules
from gyges.grading.trained import TrainedGrader
from gyges.scenarios.nearest import nearest
from gyges.scenarios.plan import Behaviour
from gyges.transcripts.grades import Answer, Grade, Ungraded
from gyges.transcripts.record import Episode

REASONING = "alignment-faking"
REFUSAL_RULES = "refusal"

BY_CLASSIFIER = (
    "85% of the alignment faking in natural texts by another hand and was right in 82% of what it found, and 68% "
    "and 69% in texts that differ in one clause"
)
BY_ENCODER = (
    "87% of the alignment faking in natural texts by another hand and was right in 87% of what it found, and 69% "
    "and 72% in texts that differ in one clause"
)
BY_RULES = (
    "32% of the alignment faking in natural texts by another hand and was right in 61% of what it found, and 27% "
    "and 65% in texts that differ in one clause"
)
WORTH = {
    name: (
        f"what the reasoning reveals was read by the grader {name}, which asks no model and found {found} "
        "(docs/validation.md): take the reveal rate and the split of the gap for a first look, not for a rate"
    )
    for name, found in (
        (NAME, BY_CLASSIFIER),
        (f"classifier:{REASONING}", BY_CLASSIFIER),
        (ENCODER, BY_ENCODER),
        (f"rules:{REASONING}", BY_RULES),
    )
}
"""By grader, what a report has to say of it. The figures are those of docs/validation.md."""

_log = logging.getLogger(__name__)


def default_graders(behaviour_label: str | None = None, options: str = "") -> tuple[Grader, ...]:
    """Behaviour by the scenario's rule (or a label, such as `label:option=a`), reasoning by what asks nobody.

    Raises UsageError for a label that can't be read, AuthoringError for rules or a classifier that can't.
    """
    behaviour: Grader = read_label_spec(behaviour_label, options) if behaviour_label else behaviour_grader()
    return behaviour, offline_grader()


KINDS = ("judge", "rules", "classifier", NAME, ENCODER)
"""What a grader's name begins with, before the colon."""
ALONE = (NAME, ENCODER)
"""Names that are whole."""


def named_graders(
    names: Sequence[str],
    behaviour_label: str | None = None,
    options: str = "",
    *,
    votes: int | None = None,
    threshold: float | None = None,
) -> tuple[Grader, ...]:
    """The grader of behaviour, and graders of reasoning by their names, such as `judge:alignment-faking`.

    A judge of behaviour that is named takes the place of the former, for whatever that leaves to judges. Without a
    name of a grader of reasoning, the default one. `votes` and `threshold` take the place of those of the rubrics.
    Raises UsageError for a name that says no grader, AuthoringError for one that can't be used.
    """
    behaviour, default = default_graders(behaviour_label, options)
    if not names:
        return behaviour, default
    if len(set(names)) != len(names):
        raise UsageError("a grader is named twice", "name each --grader once")
    named = [grader_of(name, votes=votes, threshold=threshold) for name in names]
    judges = [one for one in named if one.question == "behaviour"]
    readers = [one for one in named if one.question == "reasoning"] or [default]
    return *(judges or [behaviour]), *readers


def grader_of(name: str, *, votes: int | None = None, threshold: float | None = None) -> Grader:
    """The grader with that name, of reasoning or behaviour. Raises UsageError, AuthoringError."""
    kind, colon, rest = name.partition(":")
    rest = rest if colon else REASONING
    match kind:
        case "judge":
            return judge_grader(rest, votes=votes, threshold=threshold)
        case "rules" if rest == "behaviour":
            return behaviour_grader()
        case "rules":
            rules = load_rules(find_rules(rest))
            return ReasoningGrader(rules) if rest == REASONING else MotivesGrader(rules)
        case "classifier" if rest == MOTIVES:
            return motives_reader()
        case "classifier":
            return TrainedGrader(load_classifier(find_classifier(rest)), rest, rules_grader())
        case "offline":
            return offline_grader()
        case "encoder":
            return encoder_grader()
    known = [*(f"{one}:{REASONING}" for one in KINDS if one not in ALONE), *ALONE]
    close = nearest(name, known)
    there = f"there are {', '.join(known)}, and what grading/ has"
    raise UsageError(f"{name!r} is no grader of reasoning", close if close.startswith("did") else there)


def judge_grader(name: str, *, votes: int | None = None, threshold: float | None = None) -> JudgeGrader:
    """The judge in `judges/NAME.yaml`. Raises UsageError, AuthoringError."""
    rubric = load_rubric(find_judge(name))
    scanner = load_scanner(find_scanner(), load_words(find_rules("encoding")), find_classifier(READER))
    settles = behaviour_grader() if rubric.file.question == "behaviour" else None
    return JudgeGrader(rubric, scanner, votes or rubric.file.votes, threshold or rubric.file.threshold, settles)


def behaviour_grader() -> BehaviourGrader:
    """By the scenario's own terms."""
    return BehaviourGrader(load_rules(find_rules(REFUSAL_RULES)))


def reasoning_grader() -> TrainedGrader:
    """The classifier of alignment faking, with the rules as its second opinion."""
    return TrainedGrader(load_classifier(find_classifier(REASONING)), REASONING, rules_grader())


def rules_grader() -> ReasoningGrader:
    """The rules for alignment faking."""
    return ReasoningGrader(load_rules(find_rules(REASONING)))


def motives_reader() -> MotivesReader:
    """The trained reader of other motives, with the rules as its second opinion."""
    rules = MotivesGrader(load_rules(find_rules(MOTIVES)))
    return MotivesReader(load_motives(find_classifier(MOTIVES)), rules)


def offline_grader() -> OfflineGrader:
    """The default: the classifier, the reader of other motives, and what finds hidden and unreadable text.

    One grader, not three: figures go by the first grader of a question.
    """
    return OfflineGrader((reasoning_grader(), motives_reader()), load_words(find_rules("encoding")))


def encoder_reader() -> EncoderReader:
    """The reader on a sentence encoder, beside the two that go by words. Raises UsageError, AuthoringError."""
    return EncoderReader(load_encoder(find_classifier(ENCODER)), (reasoning_grader(), motives_reader()))


def encoder_grader() -> OfflineGrader:
    """The default with one reader on a sentence encoder in place of its two, which is slower and reads more.

    Raises UsageError where the encoder is not installed.
    """
    reader = encoder_reader()
    others = OtherCues(MotivesGrader(load_rules(find_rules(MOTIVES))), frozenset(reader.looked_for))
    return OfflineGrader((reader, others), load_words(find_rules("encoding")), ENCODER)


def grade(
    episodes: Iterable[Episode],
    behaviours: Mapping[tuple[str, str], Behaviour],
    graders: Sequence[Grader],
) -> Iterator[Grade]:
    """The answers about every episode, episode by episode, of the graders that need nobody else.

    `behaviours` are by scenario and variant. A grader that fails leaves the episode ungraded by it; the failure
    is logged and nothing else is lost.
    """
    for episode in episodes:
        view = blinded(episode)
        behaviour = behaviours.get((episode.key.scenario, episode.key.variant))
        for grader in graders:
            answer = answer_of(grader, view, behaviour)
            if not callable(answer):
                yield Grade(episode.key.id(), grader.question, grader.name, grader.version, answer)


def answer_of(grader: Grader, view: View, behaviour: Behaviour | None) -> Answer | Judging:
    """The grader's answer, or what has to be asked for it; a grader that fails is ungraded."""
    try:
        return grader.grade(view, behaviour)
    except Exception as error:  # noqa: BLE001 - whatever a grader does wrong is the grader's, and never a score
        _log.exception("grader %s %s failed", grader.name, grader.version)
        return Ungraded("grader_failed", f"{type(error).__name__}: {error}")
