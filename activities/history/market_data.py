"""Steps that bring data from outside: series of history, a list of sanctions, sentiment.

History goes the way of the command that people use, in a process of its own.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import heartbeating
from activities.operation.commands import run_command
from infra.runtime.errors import PlatformError
from models.contracts.market.data import (
    MarketDataDone,
    SanctionsRead,
    SentimentRead,
    SeriesFilled,
    SeriesToFill,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activities.ports.market_data import MarketDataRecord, ReadList, SentimentFeed

PAGE: Final = 50
"""Series that are told at once."""
GOOD: Final = frozenset({0, 1})
"""One is what the command says of a batch in quarantine: it was dealt with."""
DAY_MINUTES: Final = 1440
INTERVALS: Final = (60, DAY_MINUTES)
"""Bars of the exchange, of which it tells the newest 720: a month of hours, two years of days."""
COINGECKO_DAYS: Final = 30


class MarketDataActivities:
    """Bring what is missing; each step may be repeated."""

    def __init__(
        self,
        record: "MarketDataRecord",
        command: Sequence[str],
        clock: Callable[[], datetime],
        sanctions: "ReadList | None" = None,
        sentiment: "SentimentFeed | None" = None,
    ) -> None:
        """Take where things are kept and asked.

        Args:
            record: where it is kept.
            command: the command line of ``aether``, for example ``[python, -m, cli.entry]``.
            clock: protocol time.
            sanctions: reads the list that the settings name, None where they name none.
            sentiment: the source that the settings name, None where they name none.
        """
        self._record = record
        self._command = tuple(command)
        self._clock = clock
        self._sanctions = sanctions
        self._sentiment = sentiment

    @activity.defn
    async def series_due(self, after: str) -> list[SeriesToFill]:
        """Return the next series of the universe's pairs, in order; none when all were filled."""
        found = []
        for symbol in await self._record.allowed_pairs():
            found += [SeriesToFill(symbol, "candles", minutes) for minutes in INTERVALS]
            if symbol.endswith("/USD"):
                found.append(SeriesToFill(symbol, "coingecko", DAY_MINUTES))
        due = sorted((one for one in found if one.place > after), key=lambda one: one.place)
        return due[:PAGE]

    @activity.defn
    async def fill_series(self, one: SeriesToFill) -> SeriesFilled:
        """Ask for the recent bars of a series; what is held already stays as it is.

        Raises:
            ApplicationError: what the source or the record says is in the way.
        """
        words = ["data", "backfill", one.symbol, "--kind", one.kind, "--json"]
        words += ["--interval", str(one.interval_minutes), "--days", str(COINGECKO_DAYS)]
        said = json.loads(await run_command(self._command, words, GOOD))
        skipped = str(said.get("skipped", ""))
        return SeriesFilled(int(said["new_rows"]), int(said["quarantined_batches"]), skipped)

    @activity.defn
    async def read_sanctions(self) -> SanctionsRead:
        """Read the list; tell which of the exchange's assets it names.

        Raises:
            ApplicationError: there is no list, or it is none that can be relied on.
        """
        if self._sanctions is None:
            raise _refused("no list of sanctions is set (AETHER_SANCTIONS_LIST)")
        async with heartbeating():
            with _told():
                assets = await self._record.listed_assets()
                before = await self._record.named_assets()
                read = await asyncio.to_thread(self._sanctions, assets)
                await self._record.save_sanctions(read, self._clock())
        named = tuple(sorted(read.named))
        return SanctionsRead(read.digest, read.entries, named, frozenset(named) != before)

    @activity.defn
    async def read_sentiment(self) -> SentimentRead:
        """Read the source's recent values and keep those that were not told before.

        Raises:
            ApplicationError: there is no source, or it tells nothing that can be relied on.
        """
        if self._sentiment is None:
            raise _refused("no source of sentiment is set (AETHER_SENTIMENT)")
        async with heartbeating():
            with _told():
                values = await self._sentiment.values()
                new = await self._record.save_sentiment(values, self._clock())
        return SentimentRead(len(values), new)

    @activity.defn
    async def note_done(self, done: MarketDataDone) -> None:
        """Write what came of a run, for status, metrics and alerts."""
        await self._record.note_done(done, self._clock())


@contextmanager
def _told() -> "Iterator[None]":
    try:
        yield
    except PlatformError as error:
        raise ApplicationError(str(error)) from error


def _refused(reason: str) -> ApplicationError:
    return ApplicationError(reason, non_retryable=True)
