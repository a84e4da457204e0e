"""The browser as a reader uses it, in a real Chromium: finding, reading, sharing, and hostile text."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gyges.browse import app, shelf
from gyges.browse.export import write_static
from gyges.transcripts.grades import Evidence, Finding, Grade, ReasoningRead
from tests.browsing import (
    PAYLOADS,
    add,
    everywhere,
    hostile_run,
    kind_pair,
    kind_run,
    manifest_of,
    served,
    write,
)
from tests.chromium import Tab, chromium, executable
from tests.test_browse_forks import fork_runs

LOOKS = [(1440, False), (1024, True), (360, False), (360, True)]


@pytest_asyncio.fixture
async def tab() -> AsyncIterator[Tab]:
    executable()
    async with chromium() as opened:
        yield opened


def root(address: str) -> str:
    return address.partition("/?")[0]


async def test_from_the_overview_to_a_pair_to_its_evidence_by_keys(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        assert "token" not in str(await tab.ask("location.href"))
        await tab.leave(
            lambda: tab.ask("document.querySelector('a[href*=\"quadrant=diverges_revealed\"]').click()")
        )
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 2
        await tab.press("j")
        await tab.press("j")
        await tab.leave(lambda: tab.press("Enter"))
        assert await tab.ask("document.querySelector('h1').textContent") == "f/s1"
        assert "2 of 2" in str(await tab.ask("document.querySelector('.around').textContent"))
        await tab.press("e")
        assert await tab.ask("document.activeElement.closest('mark').classList.contains('m-evidence')")
        await tab.press("d")
        assert await tab.ask("document.querySelector('mark.target').closest('article').id") == "a-2"
        await tab.press("d")
        assert await tab.ask("document.querySelector('mark.target').closest('article').id") == "b-2"
        await tab.press("r")
        assert await tab.ask("document.activeElement.id") == "fork-reasoning-a"
        await tab.leave(lambda: tab.press("p"))
        assert await tab.ask("document.querySelector('h1').textContent") == "f/s0"
        await tab.leave(lambda: tab.press("x"))
        assert "What was sent" in str(await tab.ask("document.querySelector('h1').textContent"))
        await tab.leave(lambda: tab.press("x"))
        await tab.leave(lambda: tab.press("u"))
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 2
        assert tab.errors == []


async def test_searching_by_key_and_filtering_by_tick(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/pairs")
        await tab.press("/")
        await tab.type("nice day")
        await tab.leave(lambda: tab.press("Enter"))
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 8
        assert await tab.ask("document.querySelector('mark.found').textContent") == "nice day"
        await tab.leave(lambda: tab.ask("document.querySelector('input[value=bob]').click()"))
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 4
        assert tab.errors == []


async def test_keys_are_listed_under_a_question_mark(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.press("?")
        assert await tab.ask("document.querySelector('#keys').open")
        await tab.press("Escape")
        assert not await tab.ask("document.querySelector('#keys').open")


async def test_a_link_to_selected_words_leads_back_to_them(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/pairs?quadrant=diverges_revealed")
        await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
        await tab.ask(
            "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
            "const text = document.querySelector('[data-place=\"b-2-r0\"] [data-at]').lastChild;"
            "getSelection().setBaseAndExtent(text, 0, text, 6);"
        )
        await tab.press("l")
        await tab.until("window.copied")
        link = str(await tab.ask("window.copied"))
        await tab.open("about:blank")
        await tab.open(link)
        assert await tab.ask("document.querySelector('.m-link').textContent") == "Nobody"
        assert await tab.ask("document.querySelector('mark:target').id") == "b-2-r0-0-6"


async def test_a_pair_is_copied_as_markdown(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/pairs")
        await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
        await tab.ask("navigator.clipboard.writeText = async (text) => { window.copied = text; };")
        await tab.press("c")
        await tab.until("window.copied")
        assert "They train me on this." in str(await tab.ask("window.copied"))
        assert await tab.ask("document.querySelector('#said').textContent") == "copied as Markdown"


async def test_an_open_overview_shows_what_a_run_has_become(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "EVERY", 0.05)
    monkeypatch.setattr(shelf, "PATIENCE", 0.0)
    run = kind_run(tmp_path)
    with served(run) as address:
        await tab.open(address)
        assert "16 pairs" in str(await tab.ask("document.querySelector('.run').textContent"))
        add(run, *kind_pair("new", 0, "complies", "declines"))
        await tab.until("document.querySelector('.run')?.textContent.includes('17 pairs')")
        assert tab.errors == []


async def test_a_large_run_tells_how_far_it_is_and_then_shows_itself(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "EVERY", 0.05)
    monkeypatch.setattr(shelf, "APART", 1)
    monkeypatch.setattr(shelf, "WAIT", 0.0)
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/pairs")
        assert "being read" in str(await tab.ask("document.querySelector('h1').textContent"))
        await tab.until("document.querySelector('h1')?.textContent == '16 pairs'")
        await tab.open(f"{root(address)}/")
        await tab.until("document.querySelector('.figures') !== null")


async def test_overlapping_graders_are_told_apart_by_letter_and_line(tab: Tab, tmp_path: Path) -> None:
    episodes, grades = kind_pair("s0", 0, "complies", "declines")
    said = episodes[0].messages[2].reasoning[0].text or ""
    quoted = Evidence(2, "reasoning", 0, 5, 18, said[5:18])
    other = ReasoningRead(
        (Finding("faking", (quoted,)), Finding("aims", (replace(quoted, start=0, quote=said[:18]),)))
    )
    grades.append(Grade(episodes[0].key.id(), "reasoning", "another", "1", other))
    run = write(tmp_path / "kind.sqlite", manifest_of("kind"), episodes, grades)
    with served(run) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/episode/{episodes[0].key.id()}")
        looks = await tab.ask(
            "[...document.querySelectorAll('.m-evidence[data-letter]')].map((one) => {"
            " const style = getComputedStyle(one);"
            " return [one.dataset.letter, style.textDecorationStyle, style.textUnderlineOffset].join(' '); })"
        )
    assert isinstance(looks, list)
    assert len(looks) == len({str(look).split()[0] for look in looks}) == 3
    assert len({str(look).split(" ", 1)[1] for look in looks}) == 3


async def test_two_people_disagree_see_it_at_once_and_find_it_in_its_queue(tab: Tab, tmp_path: Path) -> None:
    episodes, _ = kind_pair("s0", 0, "complies", "declines")
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        for who, keys in (("anna", "14"), ("ben", "25")):
            await tab.open(f"{root(address)}/run/kind/label/{episodes[0].key.id()}?who={who}&queue=all")
            assert "training" not in str(await tab.ask("document.querySelector('.turns').textContent"))[:60]
            for key in keys:
                await tab.press(key)
            await tab.leave(lambda: tab.press("s"))
            assert "It was" in str(await tab.ask("document.querySelector('.answers').textContent"))
        await tab.leave(lambda: tab.press("u"))
        told = str(await tab.ask("document.querySelector('.cells').textContent"))
        assert "anna and ben" in told
        assert "kappa" in told
        await tab.ask("document.querySelector('input[value=disagreements]').click()")
        await tab.press("/")
        await tab.type("carl")
        await tab.leave(lambda: tab.press("Enter"))
        assert episodes[0].key.id() in str(await tab.ask("location.pathname"))
        assert tab.errors == []


async def test_a_view_is_saved_and_a_link_leads_to_a_turn(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/kind/pairs?quadrant=diverges_revealed&sort=-length")
        await tab.ask("document.querySelector('#view-name').value = 'the twelve'")
        await tab.leave(lambda: tab.ask("document.querySelector('.keep button').click()"))
        await tab.open(f"{root(address)}/run/kind/pairs")
        await tab.leave(lambda: tab.ask("document.querySelector('.views li a').click()"))
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 2
        await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
        await tab.ask("navigator.clipboard.writeText = async (text) => { window.copied = text; };")
        for key in "jjl":
            await tab.press(key)
        await tab.until("window.copied")
        link = str(await tab.ask("window.copied"))
        await tab.open("about:blank")
        await tab.open(link)
        assert await tab.ask("document.querySelector('article:target').id") == "a-1"
        assert tab.errors == []


async def test_no_page_is_wider_than_the_window(tab: Tab, tmp_path: Path) -> None:
    with served(kind_run(tmp_path), hostile_run(tmp_path, PAYLOADS[-8:])) as address:
        await tab.open(address)
        for width, dark in LOOKS:
            await tab.look_like(width, dark)
            await tab.open(f"{root(address)}/")
            await assert_fits(tab)
            for run in ("kind", "run"):
                await tab.open(f"{root(address)}/run/{run}/pairs")
                await assert_fits(tab)
                await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
                await assert_fits(tab)
                await tab.leave(lambda: tab.press("x"))
                await assert_fits(tab)


async def assert_fits(tab: Tab) -> None:
    assert await tab.ask("document.documentElement.scrollWidth <= innerWidth"), await tab.ask("location.href")


@pytest.mark.parametrize(
    "payloads", [PAYLOADS[4::9], pytest.param(PAYLOADS, marks=pytest.mark.full)], ids=["some", "all"]
)
async def test_hostile_text_opens_no_dialog_and_asks_nobody(tab: Tab, tmp_path: Path, payloads: list[str]) -> None:
    with served(hostile_run(tmp_path, payloads)) as address:
        await tab.open(address)
        await tab.open(f"{root(address)}/run/run/pairs")
        for payload in payloads:
            id = "-".join(episode.key.id() for episode in everywhere(payload)[0])
            for page in ("", "/raw"):
                await tab.open(f"{root(address)}/run/run/pair/{id}{page}")
        assert tab.dialogs == []
        assert [url for url in tab.requests if not url.startswith((root(address), "data:,"))] == []
        assert tab.errors == []


AXE = "axe-core@4.14.1"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which finds what keeps people out."""
    folder = tmp_path_factory.mktemp("axe")
    try:
        packed = subprocess.run(["npm", "pack", AXE], cwd=folder, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        pytest.skip("no npm here; on Debian: apt-get install -y npm")
    if packed.returncode:
        pytest.skip("npm can't fetch axe-core here")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


@pytest.mark.full
@pytest.mark.parametrize(("width", "dark"), LOOKS)
async def test_axe_finds_nothing_that_keeps_people_out(
    tab: Tab, tmp_path: Path, axe: str, width: int, dark: bool
) -> None:
    episodes, _ = kind_pair("s0", 0, "complies", "declines", "ann")
    id = "-".join(episode.key.id() for episode in episodes)
    runs = fork_runs(tmp_path)
    write_static(runs[:1], tmp_path / "out.html")
    write_static(runs[:1], tmp_path / "out")
    with served(*runs) as address:
        await tab.call("Page.setBypassCSP", enabled=True)
        await tab.look_like(width, dark)
        await tab.open(address)
        pages = ("/pairs?q=nice", f"/pair/{id}", f"/pair/{id}/raw", "/labels", "/label?who=eve")
        files = (tmp_path / "out.html", tmp_path / "out" / "index.html", tmp_path / "out" / "pairs" / f"{id}.html")
        addresses = [f"{root(address)}/", *(f"{root(address)}/run/kind{page}" for page in pages)]
        for page in [*addresses, *(file.as_uri() for file in files), f"{files[0].as_uri()}#pair={id}"]:
            await tab.open("about:blank")
            await tab.open(page)
            await tab.ask(f"{axe};0")
            found = await tab.ask(
                "axe.run(document, { resultTypes: ['violations'] })"
                ".then((said) => said.violations.map((one) => `${one.impact} ${one.id} ${one.nodes[0].html}`))"
            )
            assert found == [], page
