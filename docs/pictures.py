"""Take the pictures of docs/browse.md: `python docs/pictures.py RUN`, from the checkout's root, with Chromium."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browsing import served
from tests.chromium import Tab, chromium

PICTURES = Path(__file__).parent / "pictures"
PAIRS = "/pairs?quadrant=diverges_revealed"


async def take(run: Path) -> None:
    with served(run) as address:
        base = f"{address.partition('/?')[0]}/run/{run.stem}"
        async with chromium() as tab:
            await tab.look_like(1440, height=860)
            await tab.open(address)
            await picture(tab, "overview")
            await tab.open(base + PAIRS)
            await picture(tab, "pairs")
            await tab.leave(lambda: tab.ask("document.querySelector('[data-open]').click()"))
            await tab.press("d")
            await picture(tab, "pair")
            await tab.look_like(1440, dark=True, height=860)
            await picture(tab, "pair-dark")
            await tab.look_like(360, height=860)
            await tab.press("d")
            await picture(tab, "pair-narrow")
            await tab.look_like(1440, height=860)
            await tab.open(f"{base}/label?who=anna")
            await tab.press("1")
            await picture(tab, "label")


async def picture(tab: Tab, name: str) -> None:
    (PICTURES / f"{name}.png").write_bytes(await tab.picture())


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    asyncio.run(take(Path(sys.argv[1])))
