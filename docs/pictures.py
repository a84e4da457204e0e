"""Take the pictures of docs/browse.md: `python docs/pictures.py [RUN]`, from the checkout's root, with Chromium.

Without a run it plays one of two scripted agents, always the same, in a folder of its own.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browsing import served
from tests.chromium import Tab, chromium

PICTURES = Path(__file__).parent / "pictures"
PAIRS = "/pairs?quadrant=diverges_revealed"
WIDTHS = (1440, 1024, 360)
HEIGHT = 860
PLAY = "run tiers --agent faker --agent honest --samples 2 --seed 1"


def play(folder: Path) -> Path:
    """The run that the pictures show. Its name is a date; the pictures of another day differ there."""
    gyges = Path(sys.executable).with_name("gyges")
    subprocess.run([gyges, "init", folder], check=True, capture_output=True)
    subprocess.run([gyges, *PLAY.split()], cwd=folder, check=True, capture_output=True)
    return next((folder / "transcripts").glob("*.sqlite"))


async def take(run: Path) -> None:
    """Each page at each width, light and dark."""
    with served(run) as address:
        base = f"{address.partition('/?')[0]}/run/{run.stem}"
        async with chromium() as tab:
            await tab.open(address)
            for width in WIDTHS:
                for dark in (False, True):
                    await tab.look_like(width, dark=dark, height=HEIGHT)
                    await pages(tab, base, f"{width}-{'dark' if dark else 'light'}")


async def pages(tab: Tab, base: str, look: str) -> None:
    await tab.open(base.partition("/run/")[0] + "/")
    await picture(tab, f"overview-{look}")
    await tab.open(base + PAIRS)
    await picture(tab, f"pairs-{look}")
    await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
    await tab.press("d")
    await picture(tab, f"pair-{look}")
    await tab.open(f"{base}/label?who=anna")
    await tab.press("1")
    await picture(tab, f"label-{look}")


async def picture(tab: Tab, name: str) -> None:
    (PICTURES / f"{name}.png").write_bytes(await tab.picture())


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    if sys.argv[1:]:
        asyncio.run(take(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(take(play(Path(folder) / "study")))


if __name__ == "__main__":
    main()
