"""What a set of grades says of itself: who graded, in which version, with which judges, and what is known of their
errors. Stored with the set, before its first grade; it knows no grade.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from gyges.transcripts.grades import Question

NOT_JUDGED = "not_judged"
"""Why an episode is ungraded that a set's judges were not to be asked about."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KnownErrors(_Value):
    """A grader against labels, for one finding or behaviour: the numbers that corrected rates are made of."""

    finding: str
    family: str = ""
    """Of a behaviour: the family whose label it is; "" for findings in reasoning."""
    found: int
    """Of the labelled positives."""
    positives: int
    passed: int
    """Of the labelled negatives: those it found nothing in."""
    negatives: int
    ungraded: int = 0
    labels: str
    """The name of the file of labels."""
    labels_sha256: str
    version: str
    """Of the grader, when it was calibrated."""
    in_sample: int = 0
    """How many of the labelled texts the grader was made with: its errors on those flatter it."""
    about: str = ""
    """What the labelled texts are like, for whoever reads a figure that is corrected by these errors."""


class JudgeUsed(_Value):
    """A judge as it was: its profile as canonical JSON, without secrets."""

    name: str
    model: str
    base_url: str
    profile: str


class SetGrader(_Value):
    """A grader of the set."""

    name: str
    version: str
    question: Question
    judges: tuple[JudgeUsed, ...] = ()
    settings: dict[str, int | float | str] = {}
    errors: tuple[KnownErrors, ...] = ()
    """Of its stored calibration, for this version; empty where it was never calibrated."""


class GradeSet(_Value):
    """A set of grades. Where several graders answer one question, the first is the one that figures go by."""

    name: str
    created: str
    """ISO 8601, UTC."""
    graders: tuple[SetGrader, ...]
    episodes: int
    again: tuple[str, ...] = ()
    """The ids of the episodes that are judged twice more, for the flip rate."""
    secret: str = ""
    """What the nonces of the judges' calls are made of: nobody could know it while the episodes were played."""
    organisms: bool = True
    """Whether judges are asked about the organisms that the run added; else these are `NOT_JUDGED`."""
    cautions: tuple[str, ...] = ()
    """What was known to speak against these graders when the set was begun."""

    def differs_from(self, other: GradeSet) -> list[str]:
        """What would be graded otherwise, in words; empty where the one set can be finished as the other."""
        found = []
        for mine in self.graders:
            theirs = next((one for one in other.graders if one.name == mine.name), None)
            if theirs is None:
                found.append(f"{mine.name} is not in it")
            elif theirs.version != mine.version:
                found.append(f"{mine.name} changed")
            elif theirs.judges != mine.judges:
                found.append(f"the judges of {mine.name} changed")
            elif theirs.settings != mine.settings:
                found.append(f"the settings of {mine.name} changed")
        gone = {one.name for one in other.graders} - {one.name for one in self.graders}
        found += [f"{name} was in it" for name in sorted(gone)]
        if self.organisms != other.organisms:
            found.append(f"organisms are judged in {self.name if self.organisms else other.name} only")
        if self.episodes != other.episodes:
            found.append("there are other episodes")
        return found
