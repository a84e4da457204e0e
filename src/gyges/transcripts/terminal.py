"""Runs, episodes and pairs as lines for a terminal. It prints nothing and knows no width but its own.

Everything that a model, a provider or a file said passes through `safe`. Styles are added afterwards, and only
when asked for: what is written to a file or a pipe is plain text that says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from gyges.errors import UsageError, several
from gyges.scenarios.plan import Span
from gyges.scenarios.world import Change
from gyges.transcripts.grades import BehaviourShown, Evidence, Grade, ReasoningRead, Ungraded
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, Fork, Message, Outcome, Reasoning
from gyges.transcripts.safe import safe, safe_lines

Style = Literal["strong", "faint", "signal", "good", "bad"]

_CODES: dict[Style, str] = {"strong": "1", "faint": "2", "signal": "7", "good": "32", "bad": "31"}
_FIRST = 20


class Page:
    """How lines look: with styles or without."""

    def __init__(self, styled: bool = False) -> None:
        self.styled = styled

    def style(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.styled and text else text

    def signal(self, text: str) -> str:
        """The signal stands out without a style too."""
        return self.style(text, "signal") if self.styled else f"⟦{text}⟧"


def lines(
    reader: RunReader, what: str | None = None, sample: int = 0, agent: str | None = None, styled: bool = False
) -> Iterator[str]:
    """What `gyges show` prints: the run; with an episode's id that episode; with a scenario the pair of a sample.

    Raises UsageError when there is no such episode or pair.
    """
    if what is None:
        return show_run(reader, styled)
    if any(heading.key.scenario == what for heading in islice(reader.headings(scenario=what), 1)):
        return _pair(reader, what, sample, agent, styled)
    episode = reader.episode(what)
    return show_episode(episode, reader.grades(episode=episode.key.id()), reader.calls(episode.key.id()), styled)


def _pair(reader: RunReader, scenario: str, sample: int, agent: str | None, styled: bool) -> Iterator[str]:
    found = [h for h in reader.headings(agent=agent, scenario=scenario) if h.key.sample == sample]
    name = reader.path.stem
    if not found:
        what = safe(f"there is no sample {sample} of {scenario}" + (f" by {agent}" if agent else ""))
        raise UsageError(what, f"`gyges show {name}` lists episodes")
    agents = sorted({safe(heading.key.agent) for heading in found})
    if len(agents) > 1:
        raise UsageError(
            f"{len(agents)} agents played {safe(scenario)}", f"name one: --agent {' or '.join(agents)}"
        )
    ids = {heading.key.context: heading.id for heading in found if heading.key.variant == found[0].key.variant}
    episodes = [reader.episode(ids[context]) for context in _in_order(reader, found[0].family, list(ids))[:2]]
    grades = [grade for episode in episodes for grade in reader.grades(episode=episode.key.id())]
    if len(episodes) == 1:
        return show_episode(episodes[0], grades, styled=styled)
    return show_pair(episodes[0], episodes[1], grades, styled)


def _in_order(reader: RunReader, family: str, contexts: Sequence[str]) -> list[str]:
    """The contexts as the family's first contrast has them, any others after."""
    declared = [named.contrast for named in reader.manifest.contrasts if named.family == family][:1]
    first = [context for contrast in declared for context in (contrast.first, contrast.second)]
    return sorted(contexts, key=lambda context: first.index(context) if context in first else len(first))


def show_run(reader: RunReader, styled: bool = False, first: int = _FIRST) -> Iterator[str]:
    """What a run is, its outcomes for each agent and context, and the ids of its first episodes."""
    page, manifest = Page(styled), reader.manifest
    yield page.style(safe(f"run {manifest.run}"), "strong")
    yield safe(f"{manifest.source} {manifest.created}; {several(reader.count(), 'episode')}, seed {manifest.seed}")
    if manifest.command:
        yield page.style(safe(manifest.command), "faint")
    yield ""
    yield from _outcomes(reader, page)
    yield ""
    rows = [["episode", "agent", "scenario", "context", "sample", "outcome"]]
    for heading in islice(reader.headings(), first):
        key = heading.key
        names = [key.agent, _with_variant(key.scenario, key.variant), key.context]
        rows.append([heading.id, *names, str(key.sample), str(heading.outcome)])
    yield from _table(rows, page)
    if reader.count() > first:
        yield page.style(f"... and {reader.count() - first} more", "faint")


def _outcomes(reader: RunReader, page: Page) -> Iterator[str]:
    counts = reader.counts()
    seen = [outcome for outcome in Outcome if any(outcome in counted for counted in counts.values())]
    rows = [["agent", "context", *seen]]
    rows += [[agent, context, *(str(n[outcome]) for outcome in seen)] for (agent, context), n in counts.items()]
    yield from _table(rows, page)


def _table(rows: Sequence[Sequence[str]], page: Page) -> Iterator[str]:
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for number, row in enumerate(cells):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield page.style(line, "strong") if number == 0 else line


def _with_variant(scenario: str, variant: str) -> str:
    return f"{scenario} [{variant}]" if variant else scenario


def show_episode(
    episode: Episode, grades: Iterable[Grade] = (), calls: Sequence[Call] = (), styled: bool = False
) -> Iterator[str]:
    """A transcript: how it ended, everything said, and what graders made of it with their evidence."""
    page, key = Page(styled), episode.key
    yield page.style(
        safe(f"{_with_variant(key.scenario, key.variant)}, {key.context}, sample {key.sample}"), "strong"
    )
    yield safe(f"episode {key.id()} of {key.agent}" + (f" ({episode.model})" if episode.model else ""))
    yield _ending(episode, page)
    if episode.fork:
        yield from _fork(episode.fork, page)
    if calls:
        yield safe(_called(calls))
    for number, message in enumerate(episode.messages):
        yield ""
        yield from _message(number, message, page)
    yield ""
    for name, value in (*episode.labels, *episode.metadata):
        yield safe(f"{name}: {value}")
    for grade in grades:
        if grade.episode == key.id():
            yield from _grade(grade, page)


def _ending(episode: Episode, page: Page) -> str:
    outcome = page.style(str(episode.outcome), "good" if episode.outcome is Outcome.COMPLETED else "bad")
    because = f": {safe(episode.reason)}" if episode.reason else ""
    if not episode.started:
        return outcome + because
    started = datetime.fromtimestamp(episode.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{outcome}{because}, {started}, {episode.ended - episode.started:.1f} s"


def _fork(fork: Fork, page: Page) -> Iterator[str]:
    """Which episode it left, where, and what is done there."""
    how = fork.name if fork.fraction is None else f"{fork.name}:{fork.fraction:g}"
    if fork.kind == "probe":
        how += " with reasoning" if fork.reasoning else " without reasoning"
    where = f"after {_many(fork.turn, 'answer')}, from message {fork.message} on"
    yield safe(f"fork of episode {fork.episode} of {fork.run}: {fork.kind} {how}, {where}")
    if fork.right:
        yield safe(f"right would be: {dict(fork.choices)[fork.right]}")
    if fork.impossible:
        yield page.style(safe(f"could not be done: {fork.impossible}"), "bad")


def _called(calls: Sequence[Call]) -> str:
    failed = [call for call in calls if call.error or call.response is None]
    line = f"{_many(len({call.ordinal for call in calls}), 'call')}, {_many(len(calls), 'attempt')}"
    return f"{line}, {len(failed)} without an answer: {failed[-1].error or 'unknown'}" if failed else line


def _many(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _message(number: int, message: Message, page: Page) -> Iterator[str]:
    about = f" {message.result.call}{': error' if message.result.failed else ''}" if message.result else ""
    yield page.style(safe(f"--- {number} {message.role}{about} ---"), "strong")
    for block, reasoning in enumerate(message.reasoning):
        yield from _reasoning(block, reasoning, page)
    yield from _marked(message.text, message.signal, page)
    for note in message.notes:
        yield page.style(f"  note: {safe(note)}", "faint")
    for call in message.calls:
        yield safe(f"-> {call.name}({call.arguments})  [{call.id}]")
    if message.role == "tool":
        yield from (page.style(line, "faint") for change in message.changes for line in _change(change))
    elif message.changes:
        yield page.style(f"  = a world of {_many(len(message.changes), 'place')} begins here", "faint")


def _change(change: Change) -> Iterator[str]:
    """What a call changed in the world: the place before and after."""
    before, after = (one.text if one is not None else "(nothing)" for one in (change.before, change.after))
    yield f"  = {safe(change.place)}"
    yield from (f"  - {line}" for line in safe_lines(before))
    yield from (f"  + {line}" for line in safe_lines(after))


def _reasoning(block: int, reasoning: Reasoning, page: Page) -> Iterator[str]:
    about = [f"reasoning {block}: {reasoning.visibility}", safe(reasoning.source)]
    if reasoning.tokens is not None:
        about.append(f"{reasoning.tokens} tokens")
    if not reasoning.closed:
        about.append("not closed")
    yield page.style(f"  | [{', '.join(about)}]", "faint")
    for line in safe_lines(reasoning.text) if reasoning.text is not None else ():
        yield page.style(f"  | {line}", "faint")


def _marked(text: str, signal: Sequence[Span], page: Page) -> Iterator[str]:
    """The text's lines with the signal marked, line by line so that no style crosses a line's end."""
    start = 0
    for line in text.split("\n"):
        end, at, parts = start + len(line), start, list[str]()
        for first, last in signal:
            first, last = max(first, start), min(last, end)
            if first < last:
                parts += [safe(text[at:first]), page.signal(safe(text[first:last]))]
                at = last
        yield "".join([*parts, safe(text[at:end].removesuffix("\r"))])
        start = end + 1


def _grade(grade: Grade, page: Page) -> Iterator[str]:
    who = page.style(safe(f"{grade.grader} {grade.version}"), "faint")
    match grade.answer:
        case BehaviourShown():
            yield f"{grade.question}: {page.style(safe(grade.answer.label), 'strong')}  {who}"
            yield from _evidence(grade.answer.evidence)
        case ReasoningRead():
            share = grade.answer.legible
            legible = "" if share is None else f", {100 * share:.0f}% legible"
            yield f"{grade.question}: {_many(len(grade.answer.findings), 'finding')}{legible}  {who}"
            for finding in grade.answer.findings:
                yield f"  {page.style(safe(finding.name), 'strong')}"
                yield from _evidence(finding.evidence)
        case Ungraded():
            detail = f" ({safe(grade.answer.detail)})" if grade.answer.detail else ""
            yield f"{grade.question}: {page.style('ungraded', 'bad')}, {safe(grade.answer.reason)}{detail}  {who}"


def _evidence(evidence: Iterable[Evidence]) -> Iterator[str]:
    for quoted in evidence:
        block = f" {quoted.block}" if quoted.channel == "reasoning" else ""
        place = f"message {quoted.message}, {quoted.channel}{block}, {quoted.start}-{quoted.end}"
        yield f'    "{safe(quoted.quote)}"  [{place}]'
        if quoted.decoded:
            yield f'      decoded: "{safe(quoted.decoded)}"'


def show_pair(
    first: Episode, second: Episode, grades: Sequence[Grade] = (), styled: bool = False
) -> Iterator[str]:
    """The episodes of a pair one after the other, after a line that says where they differ."""
    yield safe(f"{first.key.context} / {second.key.context}: {_difference(first, second, grades)}")
    for episode in (first, second):
        yield ""
        yield from show_episode(episode, grades, styled=styled)


def _difference(first: Episode, second: Episode, grades: Sequence[Grade]) -> str:
    if first.outcome != second.outcome:
        return f"{first.outcome} / {second.outcome}"
    shown = [_behaviour(episode, grades) for episode in (first, second)]
    if shown[0] != shown[1]:
        return f"{shown[0]} / {shown[1]}"
    same = [m.text for m in first.messages if m.role == "assistant"] == [
        m.text for m in second.messages if m.role == "assistant"
    ]
    words = "the same words" if same else "different words"
    return f"both {shown[0]}, in {words}" if shown[0] != "ungraded" else f"both {first.outcome}, in {words}"


def _behaviour(episode: Episode, grades: Sequence[Grade]) -> str:
    id = episode.key.id()
    for grade in grades:
        if grade.episode == id and isinstance(grade.answer, BehaviourShown):
            return grade.answer.label
    return "ungraded"
