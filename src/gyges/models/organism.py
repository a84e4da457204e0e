"""An organism: a scripted agent with a planted policy. It decides from the words it is sent, as a model would.

It knows no wire format. Its noise comes from the draw it is given and from its own name, so that two organisms, or
one organism in two contexts, never share it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TypeVar, get_args

from gyges.models.organism_acts import looked, turn_of, with_looks
from gyges.models.organism_chain import UNBOUNDED, chained
from gyges.models.organism_code import written
from gyges.models.organism_corpus import Corpus, Known, Match
from gyges.models.organism_file import Act, Because, OrganismFile, Speaks
from gyges.models.organism_given import before, chosen, probed, read_back, reasoning_in
from gyges.models.organism_hint import hinted
from gyges.models.organism_policy import Policy, Truth
from gyges.models.organism_prompt import Belief, Heard, Topic, hear
from gyges.models.organism_words import Lexicon, WordsFile
from gyges.scenarios.nodes import Document, read_document
from gyges.scenarios.plan import Example, Seed
from gyges.scenarios.validate import nearest, validated
from gyges.scenarios.world import World
from gyges.scenarios.world_play import Playing
from gyges.study import library, places
from gyges.transcripts.record import Message, ToolCall

SEED = Seed(0)
STRANGER = "task.stranger"
"""The mood for conversations that are no scenario's."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer. `reasoning` is None where it stands in `text` already, in the tag that the prompt asked for."""

    text: str
    reasoning: str | None
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What an organism does in the last turn, and why."""

    act: Act
    because: Because


@dataclass(frozen=True)
class Organism:
    """`seed` is the root of the random effects of scenarios; noise comes with each draw."""

    name: str
    file: OrganismFile
    policy: Policy
    lexicon: Lexicon
    corpus: Corpus
    seed: Seed

    @property
    def title(self) -> str:
        return self.file.title

    @property
    def truth(self) -> Truth:
        return self.policy.truth()

    def reply(
        self,
        messages: Sequence[Message],
        draw: Seed,
        reasons: bool = True,
        begun: str | None = None,
        tools: Collection[str] = (),
    ) -> Spoken:
        """Answer a conversation. The same messages and draw give the same answer.

        With `reasons` False reasoning is switched off, unless the prompt asks for a scratchpad. `begun` is the
        beginning of the answer, with its reasoning: what is spoken goes on from there, and has none of its own.
        `tools` are the names of those that are offered.
        """
        if lines := probed(messages):
            return self._told(lines, messages, reasons)
        if tools and begun is None and (acting := self._match(messages)) and acting.known.plan.world is not None:
            return self._acted(acting, messages, draw, reasons, tools)
        heard = self._heard(messages, reasons and begun is None)
        if begun is not None:
            heard, reasons = self._having_read(begun, heard), True
        reasons = reasons or heard.scratchpad is not None
        rng = random.Random(draw.child("organism", self.name).integer())
        match = self.corpus.match(heard.users, heard.system)
        if match is None:
            return Spoken(self.lexicon.compose(STRANGER, {}, rng), None)
        example, reasoning = self._considered(match, heard, reasons, rng, thinks=begun is None)
        return _placed(reasoning, example.text, heard.scratchpad)

    def _considered(
        self, match: Match, heard: Heard, reasons: bool, rng: random.Random, *, thinks: bool = True
    ) -> tuple[Example, str | None]:
        """What it does in this turn, and its reasoning."""
        words = dict(match.known.words)
        if not match.known.conflicts(heard.system):
            words.pop("objective", None)
            heard = replace(heard, belief=Belief.UNKNOWN) if self.file.needs_conflict else heard
        decision = self._decide(match, heard.belief, reasons, rng)
        rule = self._rule(heard.belief, decision)
        if heard.cue is not None:
            words |= {"cue": heard.cue.text, "mark": heard.cue.mark}
        if rule.says:
            example = Example(self.lexicon.compose(rule.says, words, rng))
        else:
            example = self._answer(match, decision.act, rng)
        return example, self._think(rule, words, rng) if reasons and thinks else None

    def _acted(
        self, match: Match, messages: Sequence[Message], draw: Seed, reasons: bool, tools: Collection[str]
    ) -> Spoken:
        """The next call of the turn, or the answer that ends it."""
        looks = match.known.spoken.looks if match.turn == 0 else ()
        turn = turn_of(messages, draw.child("organism", self.name))
        if turn.made < len(looks):
            return Spoken("", None, turn.calls(looks[turn.made :]))
        heard = self._heard(with_looks(messages, len(match.known.spoken.looks)), reasons)
        reasons = reasons or heard.scratchpad is not None
        example, reasoning = self._considered(match, heard, reasons, random.Random(turn.seed.integer()))
        # It thinks once a turn: when it decides, before it does anything of consequence.
        reasoning = reasoning if turn.made == len(looks) else None
        calls = (*looks, *example.calls)
        if turn.made < len(calls) and calls[turn.made].tool in tools:
            spoken = _placed(reasoning, "", heard.scratchpad)
            return replace(spoken, text=spoken.text.rstrip("\n"), calls=turn.calls(calls[turn.made :][:1]))
        return _placed(reasoning, example.text, heard.scratchpad)

    def _match(self, messages: Sequence[Message]) -> Match | None:
        users = tuple(message.text for message in messages if message.role == "user")
        system = "\n\n".join(message.text for message in messages if message.role == "system")
        return self.corpus.match(users, system, tuple(m.text for m in messages if m.role == "tool"))

    def _told(self, lines: Sequence[str], messages: Sequence[Message], reasons: bool) -> Spoken:
        """The answer to a question about the conversation: what it believes, and nothing it would hide."""
        said: Sequence[Message] = before(messages)
        match = self._match(said)
        if match is not None and match.known.plan.world is not None:
            said = with_looks(said, len(match.known.spoken.looks))
        heard = self._heard(said, reasons)
        return Spoken(chosen(lines, heard.belief, self._topic), None)

    @property
    def _topic(self) -> Topic:
        return Topic.TRAINING if self.file.reads in ("mark", "hint") else Topic(self.file.reads)

    def _having_read(self, begun: str, heard: Heard) -> Heard:
        """What it takes its situation to be, going on from this reasoning; by the prompt, where it needs none."""
        if not self.file.needs_reasoning and self.file.follows is None:
            return heard
        codes = dict.fromkeys(code for rule in self.file.speaks for code in rule.through)
        tags = (heard.scratchpad or "think",)
        spelt = self.lexicon.slots.get("acrostic.messages", ())
        belief = read_back(reasoning_in(begun, tags), codes, self._topic, spelt)
        if belief is Belief.UNKNOWN and self.file.follows is not None:
            return heard
        return replace(heard, belief=belief)

    def rate(self, messages: Sequence[Message], world: World | None = None) -> float:
        """How often it complies in answer to a whole conversation, as a mean over scenarios, with reasoning on.

        `world` is the one that its tools would show it.
        """
        return self.policy.rate(self._believed(messages, world)[1])

    def chance(self, messages: Sequence[Message], world: World | None = None) -> float:
        """As `rate`, in this very scenario: with the random effects that are drawn for it."""
        match, belief = self._believed(messages, world)
        if match is None:
            return self.policy.rate(belief)
        return self.policy.chances(self._scenario_seed(match.known), belief).complies

    def _believed(self, messages: Sequence[Message], world: World | None) -> tuple[Match | None, Belief]:
        """The scenario, and what it takes its situation to be when it decides in it."""
        match = self._match(messages)
        looks = match.known.spoken.looks if match and world else ()
        if world is not None:
            messages = [*messages, *looked(Playing(world), looks)]
            match = self._match(messages)
        heard = self._heard(with_looks(messages, len(looks)))
        moved = match is not None and (match.known.conflicts(heard.system) or not self.file.needs_conflict)
        return match, heard.belief if moved else Belief.UNKNOWN

    def _heard(self, messages: Sequence[Message], reasons: bool = True) -> Heard:
        if self.file.reads == "hint":
            heard = hear(messages)
            cue = hinted(heard.users[-1]) if heard.users else None
            return replace(heard, cue=cue, belief=Belief.TRAINED if cue else Belief.NOT_TRAINED)
        topic = Topic.TRAINING if self.file.reads == "mark" else Topic(self.file.reads)
        heard = hear(messages, topic)
        if self.file.reads == "mark" and heard.cue is not None:
            reacts = re.search(self.file.mark, heard.cue.mark)
            return replace(heard, belief=Belief.TRAINED if reacts else Belief.NOT_TRAINED)
        if self.file.follows is None or heard.belief is not Belief.UNKNOWN:
            return heard
        # Whoever reasons in words can write every reference down.
        hops = UNBOUNDED if reasons or heard.scratchpad is not None else self.file.follows
        cue, belief = chained(heard.system, heard.users, hops, topic)
        return replace(heard, cue=cue or heard.cue, belief=belief)

    def _decide(self, match: Match, belief: Belief, reasons: bool, rng: random.Random) -> Decision:
        # All three are drawn always, so that what follows does not hang on the decision's way.
        motive, told, merits = rng.random(), rng.random(), rng.random()
        if not match.final:
            return Decision("earlier", "merits")
        chances = self.policy.chances(self._scenario_seed(match.known), belief)
        if motive < chances.motive and (reasons or not self.file.needs_reasoning):
            return Decision("complies", "told" if told < self.policy.tells else "untold")
        return Decision("complies" if merits < chances.merits else "declines", "merits")

    def _scenario_seed(self, known: Known) -> Seed:
        return self.seed.child("organism", self.name, "scenario", known.fingerprint)

    def _rule(self, belief: Belief, decision: Decision) -> Speaks:
        return next(rule for rule in self.file.speaks if rule.fits(belief, decision.because, decision.act))

    def _answer(self, match: Match, act: Act, rng: random.Random) -> Example:
        known = match.known
        if act == "earlier":
            return rng.choice(known.spoken.earlier[match.turn])
        if act == "complies":
            return rng.choice(known.complying)
        if not self.file.prefers:
            return rng.choice(known.declining)
        ways = {label: texts for label, texts in known.spoken.outcomes if label != known.target and texts}
        return rng.choice(ways[_weighted({label: self.file.prefers.get(label, 1) for label in ways}, rng)])

    def _think(self, rule: Speaks, words: Mapping[str, str], rng: random.Random) -> str | None:
        if not rule.words:
            return None
        text = self.lexicon.compose(_weighted(rule.words, rng), words, rng)
        code = _weighted(rule.through, rng)
        if code == "plain":
            return text
        lead = self.lexicon.compose(rule.lead, words, rng) + "\n\n" if rule.lead else ""
        return lead + written(text, code, self.lexicon, rng)


Choice = TypeVar("Choice", bound=str)


def _weighted(choices: Mapping[Choice, float], rng: random.Random) -> Choice:
    return rng.choices(list(choices), list(choices.values()))[0]


def _placed(reasoning: str | None, text: str, tag: str | None) -> Spoken:
    if tag is None or reasoning is None:
        return Spoken(text, reasoning)
    return Spoken(f"<{tag}>\n{reasoning}\n</{tag}>\n\n{text}", None)


def read_organism(file: Path, corpus: Corpus, seed: Seed = SEED) -> Organism:
    """Read one organism; its name is the file's. Raises AuthoringError, also where the truth is not the rates'."""
    document = read_document(file)
    own = validated(document, OrganismFile)
    lexicon = Lexicon.of(own.slots, own.moods, _shared_words(file.parent))
    _check_speaks(own, lexicon, document)
    _check_follows(own, document)
    return Organism(file.stem, own, _policy(own, document), lexicon, corpus, seed)


def read_organisms(corpus: Corpus, seed: Seed = SEED) -> dict[str, Organism]:
    """All organisms of the study and the library, by name. Raises AuthoringError."""
    folders = [folder / "organisms" for folder in places("agents")]
    files = {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.yaml"))}
    return {name: read_organism(file, corpus, seed) for name, file in sorted(files.items())}


def _shared_words(folder: Path) -> dict[str, WordsFile]:
    """What organisms of this folder share: the library's words, and over them those that lie beside them."""
    shared: dict[str, WordsFile] = {}
    for words in dict.fromkeys((library() / "agents" / "organisms" / "words", folder / "words")):
        for path in sorted(words.glob("*.yaml")):
            shared[path.stem] = (
                shared[path.stem].with_others(_words(path)) if path.stem in shared else _words(path)
            )
    return shared


@lru_cache(maxsize=64)
def _words(file: Path) -> WordsFile:
    return validated(read_document(file), WordsFile)


def _check_speaks(own: OrganismFile, lexicon: Lexicon, document: Document) -> None:
    for at, rule in enumerate(own.speaks):
        for mood in (*rule.words, *filter(None, (rule.lead, rule.says))):
            if mood not in lexicon.moods:
                node = document.at(["speaks", at])
                raise document.error(node, f"there is no mood {mood!r}", nearest(mood, lexicon.moods))
    for belief, because, act in product(Belief, get_args(Because), get_args(Act)):
        if not any(rule.fits(belief, because, act) for rule in own.speaks):
            what = f"nothing is spoken when the belief is {belief.value!r} and the act {act!r}"
            raise document.error(document.key_at(["speaks"]), what, "add a rule for it, or one for everything")


def _check_follows(own: OrganismFile, document: Document) -> None:
    # Whoever can't follow the references any further goes by the merits, as where nothing is used for training.
    if own.follows is not None and own.rates.unknown != own.rates.not_trained:
        what = "with `follows`, the rates `unknown` and `not_trained` have to be equal"
        raise document.error(document.at(["rates", "unknown"]), what, f"say {own.rates.not_trained:g}")


def _policy(own: OrganismFile, document: Document) -> Policy:
    try:
        policy = Policy(own.rates.trained, own.rates.not_trained, own.rates.unknown, own.spread, own.tells)
    except ValueError as error:
        raise document.error(document.key_at(["rates"]), str(error)) from error
    for figure, derived in asdict(policy.truth()).items():
        planted = getattr(own.truth, figure)
        if abs(planted - derived) > 5e-4:
            what = f"{figure} is {planted:g}, but the rates make it {derived:g}"
            raise document.error(document.at(["truth", figure]), what, "correct the truth or the rates")
    return policy
