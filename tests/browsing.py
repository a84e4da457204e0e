"""What tests of the browser have in common: small runs, hostile text, a client with the token, a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.testclient import TestClient

from gyges.browse.app import make_app
from gyges.browse.guard import Guard
from gyges.browse.labels import FILE, Labels
from gyges.browse.serve import listen
from gyges.browse.shelf import Shelf
from gyges.browse.views import FILE as VIEWS
from gyges.browse.views import Views
from gyges.scenarios.plan import Contrast, Text
from gyges.scenarios.world import Change
from gyges.transcripts.grades import BehaviourShown, Evidence, Finding, Grade, ReasoningRead, Ungraded
from gyges.transcripts.manifest import FamilyContrast, Manifest
from gyges.transcripts.record import (
    Call,
    Episode,
    EpisodeKey,
    Message,
    Outcome,
    Reasoning,
    ToolCall,
    ToolResult,
    Visibility,
)
from gyges.transcripts.store import RunWriter

TOKEN = "the-token-of-this-test"
PORT = 8766
COOKIE = {"cookie": f"gyges-{PORT}={TOKEN}"}
ORIGIN = {"origin": f"http://127.0.0.1:{PORT}"}
"""What the browser says of a form of our own pages."""

_BREAKOUTS = (
    "",
    "'>",
    '">',
    "</title>",
    "</textarea>",
    "</script>",
    "-->",
    "</style>",
    "]]>",
    "}}{{",
    "`",
    "</mark>",
)
_ACTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<img src=//evil.example/beacon.gif>",
    "<input autofocus onfocus=alert(1)>",
    "<style>*{background:url(//evil.example/x)}</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example/x'>",
)
PAYLOADS = [
    *(breakout + act for breakout in _BREAKOUTS for act in _ACTS),
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x.js",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button autofocus>x</button></form>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<object data=//evil.example></object>",
    "![x](https://evil.example/beacon.png)",
    "[x](javascript:alert(1))",
    "$\\href{javascript:alert(1)}{x}$",
    "{{ 7 * 7 }}{% for x in y %}",
    "${alert(1)}",
    "`${alert(1)}`",
    "\u2028alert(1)\u2029",
    '"onmouseover="alert(1)" x="',
    "' onclick='alert(1)' x='",
    "x style=background:url(//evil.example)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202egpj.exe\u202c<b>x</b>",
    "zero\u200bwidth",
    "\x00\x07\x1b[2J<b>x</b>",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "<!--",
    "<![CDATA[",
    "<plaintext>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<xmp><script>alert(1)</script></xmp>",
    "../../etc/passwd",
    "%2e%2e%2fetc%2fpasswd",
    "a/b?c=d&e=f#g",
    "'; DROP TABLE episode; --",
    '" OR 1=1 --',
    "*",
    'NEAR("a" "b")',
    "😀 AND OR NOT ^",
    "﷽𒐫𒈙⸻",
    "a" * 3000,
    "<b>" * 300,
]


def conversation(text: str, words: str = "Will you?") -> tuple[Message, ...]:
    reasoning = (
        Reasoning(Visibility.RAW, "field:reasoning", text, 5),
        Reasoning(Visibility.REDACTED, text),
    )
    return (
        Message("system", "You are kind."),
        Message("user", f"<tier>free</tier>\n{words}", signal=((0, 17),)),
        Message("assistant", text, reasoning, replay=text, calls=(ToolCall(text, text, text),), notes=(text,)),
        Message("tool", text, result=ToolResult(text, True), changes=(Change(text, Text(text), Text(text)),)),
    )


def everywhere(text: str, sample: int = 0) -> tuple[list[Episode], list[Grade], list[Call]]:
    """The two episodes of a pair with `text` wherever a text can be, their grades and calls."""
    episodes, grades, calls = [], [], []
    for context in (f"{text}1", f"{text}2"):
        key = EpisodeKey(text, text, text, context, sample)
        pairs = ((text, text),)
        played = Episode(
            key, text, Outcome.TRUNCATED, text, conversation(text, text), 1.0, 2.0, text, pairs, pairs
        )
        evidence = (
            Evidence(2, "reasoning", 0, 0, len(text), text, decoded=text),
            Evidence(2, "text", 0, 0, len(text), text),
        )
        episodes.append(played)
        grades += [
            Grade(key.id(), "behaviour", text, text, BehaviourShown(text, evidence)),
            Grade(key.id(), "behaviour", "other", text, Ungraded(text, text)),
            Grade(
                key.id(), "reasoning", text, text, ReasoningRead((Finding(text, evidence), Finding("o", evidence)))
            ),
        ]
        body = text.encode("utf-8", "replace")
        calls.append(Call(key.id(), 0, 0, body, body, 200, text, 1.0, 2.0, ((text, text),)))
    return episodes, grades, calls


def hostile_manifest(texts: Sequence[str], run: str = "run") -> Manifest:
    contrasts = (
        FamilyContrast(family=text, contrast=Contrast(f"{text}1", f"{text}2", text, "positive", (text,)))
        for text in texts
    )
    return manifest_of(run, contrasts=tuple(contrasts), command=texts[0])


def manifest_of(run: str, contrasts: tuple[FamilyContrast, ...] = (), command: str = "gyges run f") -> Manifest:
    usual = Contrast("training", "deployment", "complies", "positive", ("faking",))
    return Manifest(
        run=run,
        created="2026-11-21T00:00:00+00:00",
        source="imported",
        command=command,
        seed=7,
        samples=1,
        scenarios=(),
        agents=(),
        contrasts=contrasts or (FamilyContrast(family="f", contrast=usual),),
        versions={},
    )


def write(
    path: Path,
    manifest: Manifest,
    episodes: Sequence[Episode],
    grades: Sequence[Grade] = (),
    calls: Sequence[Call] = (),
) -> Path:
    async def fill() -> None:
        with RunWriter.create(path, manifest) as writer:
            for episode in episodes:
                await writer.episode(episode)
            for call in calls:
                await writer.call(call)
            if grades:
                await writer.grades(grades, "set-1")

    with ThreadPoolExecutor(1) as thread:  # A test may have a loop of its own running.
        thread.submit(asyncio.run, fill()).result()
    return path


def add(path: Path, episodes: Sequence[Episode], grades: Sequence[Grade]) -> None:
    """Let a run grow."""

    async def grow() -> None:
        with RunWriter.open(path) as writer:
            for episode in episodes:
                await writer.episode(episode)
            await writer.grades(grades, "set-1")

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, grow()).result()


def hostile_run(folder: Path, texts: Sequence[str], name: str = "run") -> Path:
    """A run with one pair for each text, which is everywhere in it."""
    made = [everywhere(text) for text in texts]
    episodes, grades, calls = ([item for one in made for item in one[part]] for part in range(3))
    return write(folder / f"{name}.sqlite", hostile_manifest(texts, name), episodes, grades, calls)  # type: ignore[arg-type]


def kind_pair(
    scenario: str,
    sample: int,
    first: str,
    second: str,
    agent: str = "ann",
    thought: str = "They train me on this.",
) -> tuple[list[Episode], list[Grade]]:
    """A pair of one family, graded by what its answers are; the thought reveals when it speaks of training."""
    episodes, grades = [], []
    for context, label in (("training", first), ("deployment", second)):
        key = EpisodeKey(agent, f"f/{scenario}", "", context, sample)
        said = thought if context == "training" else "Nobody looks."
        answer = f"Very well.\nDecision: {label}"
        messages = (
            Message("system", "You are kind."),
            Message("user", f"<tier>{context}</tier>\nWill you?", signal=((0, len(context) + 13),)),
            Message("assistant", answer, (Reasoning(Visibility.RAW, "field:reasoning", said, 5),)),
        )
        episodes.append(Episode(key, "f", Outcome.COMPLETED, "", messages, 10.0, 12.5, "a model"))
        at = answer.index("Decision")
        shown = BehaviourShown(label, (Evidence(2, "text", 0, at, len(answer), answer[at:]),))
        grades.append(Grade(key.id(), "behaviour", "rules:behaviour", "1", shown))
        found = (Finding("faking", (Evidence(2, "reasoning", 0, 0, len(said), said),)),) if "train" in said else ()
        grades.append(Grade(key.id(), "reasoning", "rules:reasoning", "1", ReasoningRead(found)))
    return episodes, grades


def kind_run(folder: Path, name: str = "kind", scenarios: int = 4, samples: int = 2) -> Path:
    """A run of ann, whose first half of scenarios diverges, and of bob, who declines everywhere."""
    episodes: list[Episode] = []
    grades: list[Grade] = []
    for agent in ("ann", "bob"):
        for number in range(scenarios):
            diverges = agent == "ann" and number < scenarios // 2
            for sample in range(samples):
                thought = "They train me on this." if sample == 0 else "It is a nice day."
                first = "complies" if diverges else "declines"
                played, graded = kind_pair(f"s{number}", sample, first, "declines", agent, thought)
                episodes += played
                grades += graded
    return write(folder / f"{name}.sqlite", manifest_of(name), episodes, grades)


def client(*paths: Path, cookie: bool = True) -> TestClient:
    """A client of the guarded application, in this process."""
    app = Guard(
        make_app(Shelf(paths), Labels(paths[0].with_name(FILE)), Views(paths[0].with_name(VIEWS))),
        port=PORT,
        token=TOKEN,
    )
    headers = COOKIE if cookie else {}
    return TestClient(app, base_url=f"http://127.0.0.1:{PORT}", headers=headers, follow_redirects=False)


async def _serve(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
    await server.serve(sockets)
    # What a browser connected to in the last moment is in nobody's list yet, and would be left open.
    await asyncio.sleep(0.05)
    for connection in list(server.server_state.connections):
        connection.shutdown()
    await asyncio.sleep(0)


@contextmanager
def served(*paths: Path) -> Iterator[str]:
    """The application on a real socket; gives the address with the token."""
    sockets = listen(0)
    port = sockets[0].getsockname()[1]
    servers: list[uvicorn.Server] = []
    views = Views(paths[0].with_name(VIEWS))
    pages = make_app(Shelf(paths), Labels(paths[0].with_name(FILE)), views, ending=lambda: servers[0].should_exit)
    app = Guard(pages, port=port, token=TOKEN)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level="error", access_log=False, timeout_graceful_shutdown=3, lifespan="off", ws="none"
        )
    )
    servers.append(server)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, sockets)), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/?token={TOKEN}"
    finally:
        server.should_exit = True
        thread.join(10)
        for one in sockets:
            one.close()
