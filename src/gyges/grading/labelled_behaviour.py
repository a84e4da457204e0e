"""Episodes of a run with what people say the agent did: from the web browser, or from JSON Lines. It grades none.

A label is one of the scenario's own (or `refused`), so it means something in its family only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gyges.errors import AuthoringError, Place, UsageError
from gyges.grading.behaviour import REFUSED
from gyges.grading.labelled import BEHAVIOUR, FILE, given, numbered, object_in, validated_row
from gyges.grading.run import behaviours
from gyges.scenarios.nearest import nearest
from gyges.scenarios.plan import Behaviour
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode

UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class ActedEpisode:
    """An episode, what its scenario's author could think of, and what people say it shows."""

    episode: Episode
    behaviour: Behaviour
    label: str | None
    """None where people can't agree, or can't say."""
    people: tuple[str, ...] = ()
    """Each person's answer, where they are known one by one."""

    @property
    def group(self) -> str:
        """What is resampled together."""
        return self.episode.key.scenario


class _Row(BaseModel):
    """`text` and `labels`, which the browser's export has beside it, are about the reasoning and not read here."""

    model_config = ConfigDict(extra="ignore")

    id: str
    behaviour: str | None


def acted_in_browser(run: Path) -> list[ActedEpisode]:
    """The episodes of which people said what they show; where more than half of those who are sure agree, what.

    Raises UsageError where there is none, or the run's behaviour is not its scenarios' own; StoreError.
    """
    answers = {id: of[BEHAVIOUR] for id, of in given(run.parent / FILE, run.stem).items() if BEHAVIOUR in of}
    sure = {id: tuple(one for one in said if one != UNSURE) for id, said in answers.items()}
    agreed = {id: _majority(said) for id, said in sure.items()}
    if not any(agreed.values()):
        raise UsageError(
            f"nobody has said in the browser what an episode of {run.stem} shows",
            f"label some (gyges browse {run.stem}), or name a file: --gold FILE --run {run.stem}",
        )
    found = _found(run, agreed)
    return [ActedEpisode(one.episode, one.behaviour, one.label, sure[one.episode.key.id()]) for one in found]


def acted_in_gold(files: Sequence[Path], run: Path) -> list[ActedEpisode]:
    """JSON Lines of `id`, an episode of the run, and `behaviour`, a label of its scenario; null says nothing.

    Raises UsageError where there is no file or no label, AuthoringError at a wrong line: an episode that is not in
    the run or stands there twice, a label that its scenario does not have, a line that labels no behaviour.
    """
    with RunReader(run) as reader:
        allowed, scenarios = _allowed(reader.manifest), _scenarios(reader)
    labels: dict[str, str | None] = {}
    seen: dict[str, str] = {}
    for file in files:
        for number, line in numbered(file):
            row = _row(file, number, line)
            place = Place(file, number)
            if row.id in seen:
                raise AuthoringError(place, f"the episode {row.id} is labelled twice ({seen[row.id]})", "keep one")
            if row.id not in scenarios:
                raise AuthoringError(
                    place, f"{run.stem} has no episode {row.id}", "name the run that was labelled with --run"
                )
            seen[row.id] = f"{file.name}:{number}"
            known = allowed.get(scenarios[row.id], ())
            if row.behaviour is not None and row.behaviour not in known:
                what = f"{scenarios[row.id][0]} has no behaviour {row.behaviour!r}"
                raise AuthoringError(place, what, nearest(row.behaviour, known))
            labels[row.id] = row.behaviour
    if not any(labels.values()):
        names = " and ".join(file.name for file in files)
        raise UsageError(f"there is no labelled behaviour in {names}", "see grading/README.md for the form")
    return _found(run, labels)


def _majority(said: Sequence[str]) -> str | None:
    (label, times) = Counter(said).most_common(1)[0] if said else ("", 0)
    return label if 2 * times > len(said) else None


def _found(run: Path, labels: Mapping[str, str | None]) -> list[ActedEpisode]:
    with RunReader(run) as reader:
        known = behaviours(reader.manifest)
        _check(reader.manifest, known)
        return [
            ActedEpisode(episode, behaviour, labels[episode.key.id()])
            for episode in reader.episodes()
            if episode.key.id() in labels
            and (behaviour := known.get((episode.key.scenario, episode.key.variant))) is not None
        ]


def _check(manifest: Manifest, known: Mapping[tuple[str, str], Behaviour]) -> None:
    if manifest.behaviour or not known:
        raise UsageError(
            f"what {manifest.run}'s episodes show comes with them, and not from a scenario's terms",
            "there is no grader of behaviour to be calibrated on it",
        )


def _scenarios(reader: RunReader) -> dict[str, tuple[str, str]]:
    return {one.id: (one.key.scenario, one.key.variant) for one in reader.headings()}


def _allowed(manifest: Manifest) -> dict[tuple[str, str], tuple[str, ...]]:
    known = behaviours(manifest)
    _check(manifest, known)
    return {key: (*dict(one.choices), REFUSED) for key, one in known.items()}


def _row(path: Path, number: int, line: str) -> _Row:
    row = object_in(path, number, line)
    if "behaviour" not in row:
        what = "it labels no behaviour" + (", but a reasoning" if "text" in row else "")
        raise AuthoringError(Place(path, number), what, "write `behaviour`, a label of the scenario, or null")
    return validated_row(path, number, row, _Row)
