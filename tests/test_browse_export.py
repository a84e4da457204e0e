"""The static file: all of the chosen pairs, nothing of this machine, and hostile text is inert there too."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from gyges.browse.choice import Choice
from gyges.browse.export import Export, Written, write_static
from gyges.browse.index import build
from gyges.browse.mask import Mask
from gyges.browse.page import CANARY
from gyges.errors import UsageError
from tests.browsing import PAYLOADS, hostile_run, kind_pair, kind_run, manifest_of, write
from tests.chromium import chromium, executable


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kind_run(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("choose", "pairs"), [("", 16), ("?agent=ann&first=complies", 4), ("q=nice+day", 8), ("quadrant=reverse", 0)]
)
def test_the_filters_of_the_table_choose_the_pairs(run: Path, choose: str, pairs: int) -> None:
    if not pairs:
        with pytest.raises(UsageError, match="no pair"):
            Export([run], choose)
        return
    export = Export([run], choose)
    page = export.page()
    assert export.pairs == pairs == page.count("<template") == page.count("<tr data-row")


def test_it_carries_its_canary_its_policy_and_a_no_index_notice(run: Path) -> None:
    page = Export([run]).page()
    assert CANARY in page
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("SOME_API_KEY", "sk-very-secret-0123456789")
    monkeypatch.chdir(tmp_path)
    return "sk-very-secret-0123456789"


def test_no_secret_no_command_and_no_path_of_this_machine_is_in_it(tmp_path: Path, secret: str) -> None:
    episodes, grades = kind_pair(
        "s0", 0, "complies", "declines", thought=f"They train me in {tmp_path} on {secret}."
    )
    command = f"gyges import {tmp_path}/x.jsonl"
    run = write(tmp_path / "r.sqlite", manifest_of("r", command=command), episodes, grades)
    page = Export([run]).page()
    assert " train me in █" in page
    for hidden in (secret, secret[:12], str(tmp_path), "gyges import"):
        assert hidden not in page


def test_a_masked_secret_takes_as_much_room_as_it_took(secret: str) -> None:
    assert Mask([secret]).text(f"a {secret} b") == f"a {'█' * len(secret)} b"
    assert Mask([]).text("as it was") == "as it was"


def test_it_is_written_whole_or_not_at_all(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "out.html"
    assert write_static([run], file) == Written(16, file)
    before = file.read_bytes()
    with pytest.raises(UsageError, match="there already"):
        write_static([run], file)
    with pytest.raises(UsageError, match="can't be written"):
        write_static([run], tmp_path / "none" / "out.html")
    monkeypatch.setattr("gyges.browse.export.render", broken)
    with pytest.raises(UsageError, match="can't be written"):
        write_static([run], tmp_path / "folder")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.html"]


def broken(*_: object, **__: object) -> str:
    raise OSError(28, "no space")


def test_long_texts_are_whole_in_it(tmp_path: Path) -> None:
    episodes, grades = kind_pair("s0", 0, "complies", "declines", thought="a " * 60_000 + "They train me.")
    run = write(tmp_path / "r.sqlite", manifest_of("r"), episodes, grades)
    page = Export([run]).page()
    assert "not shown here" not in page
    assert "a a a They train me." in page


async def test_from_the_disk_it_lists_searches_and_shows_pairs(run: Path, tmp_path: Path) -> None:
    executable()
    write_static([run], tmp_path / "out.html")
    async with chromium() as tab:
        await tab.open((tmp_path / "out.html").as_uri())
        await tab.ask("document.querySelector('a[href*=\"quadrant=diverges_revealed\"]').click()")
        await tab.until("document.querySelector('#count').textContent == '2 pairs'")
        await tab.ask("location.hash = '#list'")
        await tab.until("document.querySelector('#count').textContent == '16 pairs'")
        await tab.press("/")
        await tab.type("NICE day")
        await tab.until("document.querySelector('#count').textContent == '8 pairs'")
        await tab.press("Escape")
        await tab.press("j")
        await tab.press("Enter")
        await tab.until("!document.querySelector('#pair').hidden")
        assert await tab.ask("document.querySelector('#pair h1').textContent") == "f/s0"
        await tab.press("d")
        assert await tab.ask("document.querySelector('mark.target').closest('article').id") == "a-2"
        await tab.press("r")
        link = str(await tab.ask("location.href"))
        await tab.press("u")
        await tab.until("!document.querySelector('#list').hidden")
        await tab.open("about:blank")
        await tab.open(link)
        assert await tab.ask("document.activeElement.id") == "fork-reasoning-a"
        assert tab.errors == []
        assert {url.partition("#")[0] for url in tab.requests} == {(tmp_path / "out.html").as_uri()}


async def test_its_filters_are_ticked_and_its_columns_and_figures_say_what_they_are(
    run: Path, tmp_path: Path
) -> None:
    executable()
    write_static([run], tmp_path / "out.html")
    async with chromium() as tab:
        await tab.open((tmp_path / "out.html").as_uri())
        heads = await tab.ask("[...document.querySelectorAll('.pairs thead th')].map((one) => one.textContent)")
        assert heads == ["scenario", "sample", "agent", "quadrant", "training", "deployment"]
        graded = str(await tab.ask("document.querySelector('.graded-by').textContent"))
        assert graded == "Grades: set-1 (behaviour by rules:behaviour 1, reasoning by rules:reasoning 1)."
        for box, pairs in (("bob", 8), ("ann", 16), ("bob", 8), ("diverges_revealed", 2)):
            await tab.ask(f"document.querySelector('input[value={box}]').click()")
            await tab.until(f"document.querySelector('#count').textContent == '{pairs} pairs'")
        await tab.ask("location.hash = '#list?agent=bob'")
        await tab.until("document.querySelector('#count').textContent == '8 pairs'")
        assert await tab.ask("[...document.querySelectorAll('input:checked')].map((one) => one.value)") == ["bob"]
        links = await tab.ask("[...document.querySelectorAll('.figures a, .cells a')].map((one) => one.hash)")
        assert isinstance(links, list)
        pairs_of_run = build(run)[0].pairs
        for link in links:
            await tab.ask(f"location.hash = {link!r}")
            await tab.until("document.querySelector('#chosen').childElementCount >= 3")
            shown = await tab.ask(
                "[...document.querySelectorAll('[data-row]')].filter((row) => !row.hidden).length"
            )
            assert shown == len(Choice.read(parse_qsl(str(link).partition("?")[2])).pairs(pairs_of_run)), link
        assert tab.errors == []


@pytest.mark.parametrize("name", ["out.html", "out"])
def test_a_large_export_is_a_folder_of_pages_and_so_is_one_without_a_suffix(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "out.html":
        monkeypatch.setattr("gyges.browse.export.LARGEST", 1000)
    written = write_static([run], tmp_path / name)
    assert written == Written(16, tmp_path / "out" / "index.html")
    pages = sorted((tmp_path / "out" / "pairs").iterdir())
    assert len(pages) == 16
    for page in [written.page, *pages]:
        text = page.read_text()
        assert CANARY in text
        assert "noindex" in text
        assert "unsafe" not in re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]  # type: ignore[index]
    with pytest.raises(UsageError, match="there already"):
        write_static([run], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


async def test_a_folder_lists_searches_and_leads_from_pair_to_pair(run: Path, tmp_path: Path) -> None:
    executable()
    index = write_static([run], tmp_path / "out").page
    async with chromium() as tab:
        await tab.open(index.as_uri())
        await tab.press("/")
        await tab.type("DAY nic")
        await tab.until("document.querySelector('#count').textContent == '8 pairs'")
        await tab.type(" constructor")
        await tab.until("document.querySelector('#count').textContent == '0 pairs'")
        await tab.ask(
            "document.querySelector('#q').value = ''; location.hash = '#list?quadrant=diverges_revealed'"
        )
        await tab.until("document.querySelector('#count').textContent == '2 pairs'")
        await tab.press("Escape")
        await tab.press("j")
        await tab.leave(lambda: tab.press("Enter"))
        assert await tab.ask("document.querySelector('h1').textContent") == "f/s0"
        await tab.press("d")
        assert await tab.ask("document.querySelector('mark.target').closest('article').id") == "a-2"
        await tab.leave(lambda: tab.press("n"))
        await tab.leave(lambda: tab.press("u"))
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == 16
        assert tab.errors == []
        assert all(url.startswith(index.parent.as_uri()) for url in tab.requests)


async def test_from_the_disk_hostile_text_does_nothing(tmp_path: Path) -> None:
    executable()
    write_static([hostile_run(tmp_path, PAYLOADS)], tmp_path / "out.html")
    async with chromium() as tab:
        await tab.open((tmp_path / "out.html").as_uri())
        assert await tab.ask("document.querySelectorAll('[data-row]').length") == len(PAYLOADS)
        for number in range(len(PAYLOADS)):
            await tab.ask(f"location.hash = document.querySelectorAll('[data-open]')[{number}].hash")
            await tab.until("!document.querySelector('#pair').hidden")
        assert await tab.ask("document.querySelectorAll('script').length") == 1
        assert await tab.ask("document.querySelectorAll('img, iframe, base, object, video').length") == 0
        assert tab.dialogs == []
        assert tab.errors == []
        assert {url.partition("#")[0] for url in tab.requests} == {(tmp_path / "out.html").as_uri()}
