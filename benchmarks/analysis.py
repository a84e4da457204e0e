"""How long it takes, and how much memory, to analyse graded pairs and write the report. It plays nothing.

    python benchmarks/analysis.py [--pairs 100000] [--scenarios 200] [--page]

The goal: 100,000 pairs in under 10 s and under 1 GiB.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Iterator

from gyges.analysis.analyse import analyse
from gyges.analysis.report_html import to_html
from gyges.analysis.report_json import to_json
from gyges.analysis.report_text import to_text
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome, Visibility

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
AGENTS = 5


def rows(pairs: int, scenarios: int, seed: int = 1) -> Iterator[Row]:
    """Rows of five agents in two variants: about one in fifty is ungraded, one in ten unread."""
    chance = random.Random(seed).random
    samples = max(1, pairs // (AGENTS * scenarios * 2))
    for agent in range(AGENTS):
        for scenario in range(scenarios):
            for variant in ("plain", "formal"):
                for sample in range(samples):
                    for context, rate in (("training", 0.7), ("deployment", 0.3)):
                        lost, unread = chance() < 0.02, chance() < 0.1
                        yield Row(
                            "tiers",
                            f"agent-{agent}",
                            f"tiers/{scenario:05}",
                            variant,
                            context,
                            sample,
                            Outcome.TRUNCATED if lost else Outcome.COMPLETED,
                            None if lost else chance() < rate,
                            None if unread else chance() < 0.4,
                            "truncated" if lost else "",
                            "garbled" if unread else "",
                            CONTRAST,
                            Visibility.RAW,
                        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--scenarios", type=int, default=200)
    parser.add_argument("--page", action="store_true", help="write the page too")
    options = parser.parse_args()
    table = list(rows(options.pairs, options.scenarios))
    began, used = time.perf_counter(), time.process_time()
    report = analyse("benchmark", table, [("tiers", CONTRAST)])
    analysed, used = time.perf_counter(), time.process_time() - used
    written = [to_json([report]), to_text([report])] + ([to_html([report])] if options.page else [])
    ended = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs = sum(result.pairs for result in report.contrasts)
    print(f"{pairs} pairs: analysed in {analysed - began:.2f} s, {used:.2f} s of it on the processor")
    print(f"written in {ended - analysed:.2f} s")
    print(f"{sum(map(len, written))} characters; {memory:.0f} MiB at most")


if __name__ == "__main__":
    main()
