"""Named views of the table of pairs: a name and the filters, words and order that an address holds.

They belong to the study, not to a run, and stand in one file beside the labels. Runs are never touched.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from gyges.errors import StoreError, UsageError

FILE = "views.json"
LONGEST_NAME = 60
MOST = 200


@dataclass(slots=True)
class Views:
    """The views kept at `path`; the file is made when the first is kept. Any thread may call any method."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> dict[str, str]:
        """Names, in the order they were given, and what stands in the address. Raises StoreError."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the saved views can't be read ({error})", f"look at {FILE} beside the runs"
            ) from error
        if not isinstance(found, dict) or not all(isinstance(part, str) for one in found.items() for part in one):
            raise StoreError("the saved views are not as gyges writes them", f"look at {FILE} beside the runs")
        return found

    def keep(self, name: str, address: str) -> None:
        """Keep a view; one of the same name is replaced. Raises UsageError for a name that can't be shown."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageError("a view needs a name", f"of 1 to {LONGEST_NAME} characters that can be seen")
        with self._lock:
            views = {known: kept for known, kept in self.all().items() if known != name}
            if len(views) >= MOST:
                raise UsageError(f"there are {MOST} saved views already", "forget some of them")
            self._write({**views, name: address})

    def forget(self, name: str) -> None:
        """Forget a view; one that is not there is forgotten already."""
        with self._lock:
            self._write({known: kept for known, kept in self.all().items() if known != name})

    def _write(self, views: dict[str, str]) -> None:
        unfinished = self.path.with_name(self.path.name + ".part")
        try:
            unfinished.write_text(json.dumps(views, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
            unfinished.replace(self.path)
        except OSError as error:
            raise StoreError(
                f"the saved views can't be written ({error.strerror})", "look at the runs' folder"
            ) from error
