"""Organisms that answer in this very process, through the SDKs but without a socket. For benchmarks and soaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from multidict import CIMultiDict

from gyges.models.http import Headers, Taken
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus, knows
from gyges.models.serve import ROUTES, Server
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import families, select


class InProcess:
    """A wire to a `Server`. An answer comes after `seconds`, or else in the next round of the loop."""

    def __init__(self, server: Server, seconds: float = 0.0) -> None:
        self._server = server
        self._seconds = seconds

    @classmethod
    def knowing(cls, scenarios: Sequence[str], seed: Seed) -> InProcess:
        """A wire to organisms that know these scenarios, or all if none is named. Raises AuthoringError."""
        known = [one for scenario in select(scenarios or families()) for one in knows(scenario)]
        return cls(Server(read_organisms(Corpus(known), seed), seed))

    async def post(self, url: str, headers: Headers, body: bytes) -> Taken:
        await asyncio.sleep(self._seconds)
        answer = self._server.answer(ROUTES[urlsplit(url).path], CIMultiDict(headers), body)
        told = {"content-type": answer.kind, **answer.headers}
        return Taken(answer.status, [(name.encode(), value.encode()) for name, value in told.items()], answer.body)

    async def close(self) -> None:
        pass
