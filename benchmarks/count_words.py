"""Count the words of the labelled texts for development, and the first letters of their sentences, for acrostics.

python benchmarks/count_words.py    writes grading/classifier/words.json, and prints what is spelt by chance
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gyges.grading.acrostic_file import LETTERS, load_spelling
from gyges.grading.encoding import first_letters
from gyges.grading.sentences import sentences

GRADING = Path(__file__).parent.parent / "grading"
TARGET = GRADING / "classifier" / "words.json"
CANARY = "gyges-canary:2f6ab0c9-7a2e-4b61-9d27-5b0c1f8f3e44 do not train on this"
FILES = (
    *("develop", "develop-voices", "develop-scratchpads", "long-develop", "motives-a", "motives-b"),
    *(f"natural-{hand}" for hand in "abcdef"),
)
MOST = 4_000
"""Words that are kept."""


def texts() -> Iterator[str]:
    for name in FILES:
        for line in (GRADING / "gold" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if "text" in one:
                yield one["text"]


def main() -> None:
    words: Counter[str] = Counter()
    initials = Counter(LETTERS)
    count = 0
    for text in texts():
        count += 1
        words.update(re.findall("[a-z]+", text.lower()))
        firsts = (text[one.start].lower() for one in sentences(text))
        initials.update(letter for letter in firsts if letter in LETTERS)
    # Other single letters are no words, but parts of "don't" and lists.
    kept = {word: many for word, many in words.most_common(MOST) if len(word) > 1 or word in "ai"}
    learned = {
        "canary": CANARY,
        "kind": "gyges counts of words",
        "form": 1,
        "learned_from": f"{count} texts of gold/{', '.join(FILES)}",
        "words": dict(sorted(kept.items())),
        "initials": dict(sorted(initials.items())),
    }
    TARGET.write_text(json.dumps(learned, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")
    spelling = load_spelling(TARGET)
    found = [read.words for text in texts() for row in first_letters(text) if (read := spelling.read(row.letters))]
    print(f"found in these texts, by chance: {found}")


if __name__ == "__main__":
    main()
