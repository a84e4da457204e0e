"""How long a reader waits for each page of `gyges browse` on a generated run, and in Chromium where there is one.

    python benchmarks/browse.py [--episodes 20000] [--size 10000]

The goals, at 100,000 episodes of 10 kB: the first page of pairs, a filter or a sort under 0.3 s, full-text search
under 0.5 s at the 95th percentile, a pair of two 200-turn transcripts under 1 s to interactive, less than 200 MiB
of memory in the server, and no freezing on a message of 10 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from starlette.testclient import TestClient

from gyges.browse.app import make_app
from gyges.browse.labels import Labels
from gyges.browse.shelf import Shelf
from gyges.browse.views import Views
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Evidence, Finding, Grade, ReasoningRead
from gyges.transcripts.manifest import FamilyContrast, Manifest
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility
from gyges.transcripts.store import RunReader, RunWriter, write_run

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("faking",))
MANIFEST = Manifest(
    run="run",
    created="2026-11-21T00:00:00+00:00",
    source="imported",
    command="",
    seed=1,
    samples=1,
    scenarios=(),
    agents=(),
    contrasts=(FamilyContrast(family="f", contrast=CONTRAST),),
    versions={},
)
SEARCHES = 40


class Words:
    """Text that looks like text to an index: 5,000 words, some far more frequent than others."""

    def __init__(self, random: random.Random) -> None:
        letters = "etaoinshrdlucm"
        self.random = random
        self.all = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(5000)]
        weights = [1 / (rank + 5) for rank in range(len(self.all))]
        self.text = " ".join(random.choices(self.all, weights, k=300_000))

    def some(self, characters: int) -> str:
        text = self.text * -(-2 * characters // len(self.text))
        start = self.random.randrange(len(text) - characters)
        return text[start : start + characters]


def episodes(words: Words, number: int, size: int, turns: int = 1) -> Iterator[Episode]:
    """Pairs of four agents in 200 scenarios; half of each episode is reasoning."""
    for pair in range(number // 2):
        for context in ("training", "deployment"):
            key = EpisodeKey(f"agent {pair % 4}", f"f/s{pair // 4 % 200}", "", context, pair // 800)
            messages = [Message("system", words.some(size // 10))]
            for _ in range(turns):
                thought = Reasoning(Visibility.RAW, "field:reasoning", words.some(size // 2 // turns), 5)
                asked = f"<tier>{context}</tier>\n{words.some(size // 10 // turns)}"
                messages.append(Message("user", asked, signal=((0, len(context) + 13),)))
                messages.append(Message("assistant", words.some(size // 3 // turns), (thought,)))
            yield Episode(key, "f", Outcome.COMPLETED, "", tuple(messages), 1.0, 2.0)


def grades(played: Iterator[Episode], words: Words) -> Iterator[Grade]:
    for episode in played:
        last = len(episode.messages) - 1
        thought = episode.messages[last].reasoning[0].text or ""
        label = words.random.choice(("complies", "declines"))
        yield Grade(episode.key.id(), "behaviour", "rules:behaviour", "1", BehaviourShown(label))
        quoted = Evidence(last, "reasoning", 0, 0, 40, thought[:40])
        found = (Finding("faking", (quoted,)),) if words.random.random() < 0.3 else ()
        yield Grade(episode.key.id(), "reasoning", "rules:reasoning", "1", ReasoningRead(found))


async def graded(path: Path, words: Words) -> None:
    with RunWriter.open(path) as writer, RunReader(path) as reader:
        made = grades(reader.episodes(), words)
        while group := list(islice(made, 2000)):
            await writer.grades(group, "set-1")
        await writer.index()


def made(folder: Path, name: str, words: Words, number: int, size: int, turns: int = 1) -> Path:
    path = folder / f"{name}.sqlite"
    write_run(path, episodes(words, number, size, turns), lambda: MANIFEST)
    asyncio.run(graded(path, words))
    return path


def generate(folder: Path, number: int, size: int) -> list[Path]:
    words = Words(random.Random(1))
    return [
        made(folder, "run", words, number, size),
        made(folder, "turns", words, 2, 400_000, turns=200),
        made(folder, "long", words, 2, 20_000_000),
    ]


def measure(folder: Path, number: int, size: int) -> Iterator[tuple[str, float]]:
    """What a reader does, and the seconds it takes."""
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # its memory is not the server's
        paths = apart.submit(generate, folder, number, size).result()
    words = Words(random.Random(2))
    client = TestClient(make_app(Shelf(paths), Labels(folder / "labels.db"), Views(folder / "views.json")))

    def get(address: str) -> float:
        began = time.perf_counter()
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        return time.perf_counter() - began

    yield "opening the run for the first time", get("/run/run/pairs")
    yield "the first page of pairs", get("/run/run/pairs")
    yield "a sort", get("/run/run/pairs?sort=-length")
    yield "two filters", get("/run/run/pairs?quadrant=reverse&agent=agent+1")
    asked = [words.some(30).split(" ", 1)[1].rpartition(" ")[0] for _ in range(SEARCHES)]
    took = sorted(get(f"/run/run/pairs?q={text.replace(' ', '+')}") for text in asked)
    yield "a search for some words, 95th percentile", took[int(0.95 * len(took))]
    yield "a search for one frequent word", get(f"/run/run/pairs?q={words.all[0]}")
    pair = client.get("/run/run/pairs").text.partition('href="/run/run/pair/')[2].partition('"')[0]
    yield "a pair", get(f"/run/run/pair/{pair}")
    pair = client.get("/run/turns/pairs").text.partition('href="/run/turns/pair/')[2].partition('"')[0]
    yield "a pair of 200 turns", get(f"/run/turns/pair/{pair}")
    if shutil.which("chromium"):
        yield from in_chromium(paths[1:])


def in_chromium(paths: list[Path]) -> Iterator[tuple[str, float]]:
    """Seconds from asking for a page until its script answers a key, and of its longest block afterwards."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.browsing import served
    from tests.chromium import Tab, chromium

    async def opened(tab: Tab, root: str, run: str) -> tuple[float, float]:
        await tab.open(f"{root}/run/{run}/pairs")
        link = await tab.ask("document.querySelector('[data-open]').href")
        began = time.perf_counter()
        await tab.open(str(link))
        await tab.press("?")
        await tab.until("document.querySelector('#keys').open")
        ready = time.perf_counter() - began
        await tab.press("Escape")
        # The longest that a click would have to wait while the page is scrolled from its top to its end.
        longest = await tab.ask(
            "new Promise((done) => { let last = performance.now(), longest = 0, at = 0; const step = () => {"
            " const now = performance.now(); longest = Math.max(longest, now - last); last = now;"
            " scrollBy(0, 2000);"
            " document.body.offsetHeight; at += 1; if (at < 60) setTimeout(step); else done(longest); };"
            " setTimeout(step); })"
        )
        return ready, float(str(longest)) / 1000

    async def all_of_them() -> list[tuple[str, float]]:
        with served(*paths) as address:
            async with chromium() as tab:
                await tab.open(address)
                root, measured = address.partition("/?")[0], []
                for run, what in (("turns", "a pair of 200 turns"), ("long", "a pair with messages of 10 MB")):
                    ready, longest = await opened(tab, root, run)
                    measured += [(f"{what} in Chromium, until it answers a key", ready)]
                    measured += [(f"{what} in Chromium, the longest block while scrolling", longest)]
                return measured

    yield from asyncio.run(all_of_them())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=10_000, help="characters of one episode")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for what, seconds in measure(Path(folder), given.episodes, given.size):
            print(f"{seconds:8.3f} s  {what}", flush=True)
    print(
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB at the most, the client's included"
    )


if __name__ == "__main__":
    main()
