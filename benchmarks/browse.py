"""How long a reader waits for each page of `gyges browse` on a generated run, and in Chromium where there is one.

    python benchmarks/browse.py [--episodes 20000] [--size 10000] [--folder FOLDER]

A real `gyges browse` is started and asked over its socket; its memory is its own, as the system counts it. With
`--folder` the generated runs stay there and are used again; their search indexes are made anew (or `--indexed`).

The goals, at 100,000 episodes of 10 kB: the first page of pairs, a filter or a sort under 0.3 s, full-text search
under 0.5 s at the 95th percentile, a pair of two 200-turn transcripts under 1 s to interactive, less than 200 MiB
of memory in the server, and no freezing on a message of 10 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote_plus
from urllib.request import HTTPCookieProcessor, build_opener

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


def made(folder: Path, name: str, words: Words, number: int, size: int, turns: int = 1) -> Path:
    path = folder / f"{name}.sqlite"
    write_run(path, episodes(words, number, size, turns), lambda: MANIFEST)
    asyncio.run(graded(path, words))
    return path


def generate(folder: Path, number: int, size: int) -> None:
    words = Words(random.Random(1))
    wanted = {"run": (number, size, 1), "turns": (2, 400_000, 200), "long": (2, 20_000_000, 1)}
    for name, (many, long, turns) in wanted.items():
        if not (folder / f"{name}.sqlite").is_file():
            made(folder, name, words, many, long, turns)


def searches(words: Words) -> Iterator[tuple[str, str]]:
    """What a reader might look for, as the query of an address, by kind."""
    said, random = words.text.split(), words.random
    known = [quote_plus(word) for word in words.all]
    yield from (("a frequent word", f"q={word}") for word in known[:5])
    yield from (("a word", f"q={known[at]}") for at in (100, 500, 1000, 2000, 3000))
    yield from (("a rare word", f"q={word}") for word in known[-5:])
    yield from (("nothing that is there", f"q={word}zq") for word in known[:3])
    yield from (("two frequent words", f"q={known[at]}+{known[at + 1]}") for at in range(3))
    for length in (2, 3, 5, 8):
        for _ in range(4):
            at = random.randrange(len(said) - length)
            yield "a phrase", f"q={'+'.join(said[at : at + length])}"
            yield "a phrase, begun", f"q={'+'.join(said[at : at + length])[:-1]}"
    yield from (("a beginning", f"q={begun}") for begun in ("e", "et", "rea", "tain", "shrd"))
    yield from (("signs between words", f"q={known[at]}%2C+%22{known[at + 9]}%22") for at in (3, 300))
    some, filters = known[50], ("agent=agent+1", "quadrant=reverse", "sort=-length", "in=reasoning", "page=9")
    yield from (("with a filter", f"q={some}&{other}") for other in filters)
    yield "an expression", f"q={known[7]}+AND+{known[70]}+NOT+{known[700]}&as=expression"
    yield "an expression", f"q={known[70]}*+OR+{known[900]}&as=expression"


class Server:
    """A `gyges browse` of its own."""

    def __init__(self, runs: list[Path]) -> None:
        program = Path(sys.executable).with_name("gyges")
        self.worked: list[float] = []
        command = list(map(str, (program, "browse", *runs, "--port", "0")))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=runs[0].parent)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split(" at ")[1].strip()
        self.root = self.address.partition("/?")[0]
        self._open = build_opener(HTTPCookieProcessor()).open
        self.get("/?" + self.address.partition("/?")[2])

    def get(self, path: str) -> str:
        """The page; also one that says that there is none yet."""
        try:
            return str(self._open(self.root + path).read().decode())
        except HTTPError as error:
            return str(error.read().decode())

    def took(self, path: str) -> float:
        """Seconds until the page was there. What the server worked for it is added up in `worked`."""
        began, before = time.perf_counter(), self.processor()
        page = self.get(path)
        assert "Trouble" not in page[:900], page
        self.worked.append(self.processor() - before)
        return time.perf_counter() - began

    def processor(self) -> float:
        """Processor seconds of the server so far, without its children's."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, path: str, until: Callable[[str], bool]) -> float:
        began = time.perf_counter()
        while not until(self.get(path)):
            time.sleep(0.2)
        return time.perf_counter() - began

    def memory(self, what: str = "VmRSS") -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(f"{what}:")[2].split()[0]) / 1024


def measure(folder: Path, number: int, size: int, indexed: bool) -> Iterator[tuple[str, float]]:
    """What a reader does, and the seconds it takes."""
    generate(folder, number, size)
    for index in [] if indexed else list(folder.glob("*.words")):
        index.unlink()
    words = Words(random.Random(1))
    server = Server([folder / f"{name}.sqlite" for name in ("turns", "long", "run")])
    yield "until there is a table of pairs", server.wait("/run/run/pairs", lambda page: "<h1 id=" in page)
    yield "a search while the index is made", server.took(f"/run/run/pairs?q={words.all[9]}")
    yield "from then on until there are figures", server.wait("/", lambda page: "figures come when" not in page)
    yield (
        "from then on until everything is searchable",
        server.wait("/run/run/pairs?q=x", lambda page: "Searched so far" not in page),
    )
    yield "the first page of pairs", worst(server, ["/run/run/pairs"] * 5)
    yield (
        "a sort",
        worst(server, [f"/run/run/pairs?sort={by}" for by in ("-length", "agent", "findings", "sample")]),
    )
    filters = ("quadrant=reverse&agent=agent+1", "agent=agent+2", "outcome=training%3A+completed", "sample=3")
    yield "  of which the server's own work", max(server.worked[-4:])
    yield "a filter, or two", worst(server, [f"/run/run/pairs?{one}" for one in filters])
    asked = [(kind, server.took(f"/run/run/pairs?{query}")) for kind, query in searches(words)]
    for kind in dict.fromkeys(kind for kind, _ in asked):
        of_kind = [seconds for other, seconds in asked if other == kind]
        yield f"searches: {kind}, the longest of {len(of_kind)}", max(of_kind)
    took = sorted(seconds for _, seconds in asked)
    yield f"all {len(took)} searches, 95th percentile", took[int(0.95 * len(took))]
    worked = sorted(server.worked[-len(took) :])
    yield "  of which the server's own work, 95th percentile", worked[int(0.95 * len(worked))]
    pair = first_pair(server, "run")
    yield "a pair", worst(server, [f"{pair}?q={words.all[0]}", pair])
    yield "a pair of 200 turns", server.took(first_pair(server, "turns"))
    yield "the page of labels", server.took("/run/run/labels")
    yield "the report with its plots, drawn once", server.took("/run/run/report")
    print(f"{server.memory():8.0f} MiB in the server, {server.memory('VmHWM'):.0f} at the most", flush=True)
    if shutil.which("chromium"):
        yield from in_chromium(server)
    server.process.terminate()


def worst(server: Server, paths: list[str]) -> float:
    """The longest of several, after one that finds everything cold."""
    server.get(paths[0])
    return max(map(server.took, paths))


def first_pair(server: Server, run: str) -> str:
    return (
        f"/run/{run}/pair/"
        + server.get(f"/run/{run}/pairs").partition(f'href="/run/{run}/pair/')[2].partition('"')[0]
    )


def in_chromium(server: Server) -> Iterator[tuple[str, float]]:
    """Seconds from asking for a page until its script answers a key, and of its longest block afterwards."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
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
        async with chromium() as tab:
            await tab.open(server.address)
            measured = []
            for run, what in (("turns", "a pair of 200 turns"), ("long", "a pair with messages of 10 MB")):
                ready, longest = await opened(tab, server.root, run)
                measured += [(f"{what} in Chromium, until it answers a key", ready)]
                measured += [(f"{what} in Chromium, the longest block while scrolling", longest)]
            return measured

    yield from asyncio.run(all_of_them())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=10_000, help="characters of one episode")
    parser.add_argument("--folder", type=Path, help="where the generated runs are, or are to stay")
    parser.add_argument("--indexed", action="store_true", help="the search indexes in the folder are used too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for what, seconds in measure(given.folder or Path(folder), given.episodes, given.size, given.indexed):
            print(f"{seconds:8.3f} s  {what}", flush=True)


if __name__ == "__main__":
    main()
