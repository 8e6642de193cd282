"""Whom ideas are told: those of strategies at once, a champion's when it has judged.

A champion judges beside the market, in order: prices, exits and snapshots never wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from activities.market.delivery import Message
from activities.ports.market import MarketRecord
from models.contracts.learning import PRIMARY_STRATEGY
from models.trading.account.facts import IdeaArrived
from models.trading.ideas import Idea
from models.trading.market import MarketSnapshot
from models.trading.strategies.evidence import Evidence

log = structlog.get_logger(__name__)

WAITING_MAXIMUM = 500
LOCKSTEP_LOAD_SECONDS = 10.0


class Champion(Protocol):
    """Judges the ideas of its primary strategy."""

    async def judge(self, ideas: Sequence[Idea], now: datetime) -> list[Idea]:
        """Return the champion's own ideas; ``now`` is market time."""
        ...

    async def load(self) -> None:
        """Load who decides now; OSError where nobody knows who that is."""
        ...

    async def keep_loaded(self) -> None:
        """Load whoever comes to decide, for ever."""
        ...

    def pass_over(self, idea: Idea, why: str) -> None:
        """Say that an idea is not judged."""
        ...


class Proposals:
    """Tell followers of ideas, and have the champion judge them.

    In lockstep (``inline``) each is judged where it arises, so that the same input gives the same
    ideas: the market itself waits there, and nothing passes meanwhile.
    """

    def __init__(
        self,
        record: MarketRecord,
        send: Callable[[list[Message]], Awaitable[None]],
        seen: Callable[[str], MarketSnapshot | None],
        champion: Champion | None,
        *,
        inline: bool,
    ) -> None:
        self._record = record
        self._send = send
        self._seen = seen
        self._champion = champion
        self._inline = inline
        self._waiting: asyncio.Queue[tuple[list[Idea], datetime]] = asyncio.Queue(WAITING_MAXIMUM)

    async def take(self, ideas: Sequence[Idea], now: datetime) -> None:
        """Tell of ideas, and hand those of the champion's primary on; ``now`` is market time.

        Also without any: what has waited for the bar of another pair may be judged with this one.
        """
        await self._tell(ideas)
        if self._champion is None:
            return
        judged = [idea for idea in ideas if idea.strategy == PRIMARY_STRATEGY]
        if self._inline:
            await self._judge_inline(self._champion, judged, now)
        elif judged or self._waiting.empty():
            self._judge_later(self._champion, judged, now)

    async def keep_judging(self) -> None:
        """Judge what waits, in order, for ever."""
        while True:
            ideas, now = await self._waiting.get()
            assert self._champion is not None
            await self._judge(self._champion, ideas, now)

    async def keep_loaded(self) -> None:
        """Load the models of whoever comes to decide, for ever."""
        if self._champion is not None:
            await self._champion.keep_loaded()

    def _judge_later(self, champion: Champion, ideas: list[Idea], now: datetime) -> None:
        try:
            self._waiting.put_nowait((ideas, now))
        except asyncio.QueueFull:
            for idea in ideas:
                champion.pass_over(idea, f"{WAITING_MAXIMUM} ideas wait to be judged before it")

    async def _judge_inline(self, champion: Champion, ideas: list[Idea], now: datetime) -> None:
        if ideas:
            try:
                async with asyncio.timeout(LOCKSTEP_LOAD_SECONDS):
                    await champion.load()
            except OSError:
                log.warning("the champion is not loaded", exc_info=True)
        await self._judge(champion, ideas, now)

    async def _judge(self, champion: Champion, ideas: list[Idea], now: datetime) -> None:
        try:
            taken = await champion.judge(ideas, now)
        except Exception:
            # Whatever it is, it must not end the feed, which protects.
            log.exception("the champion fails to judge", ideas=[idea.idea_id for idea in ideas])
            for idea in ideas:
                champion.pass_over(idea, "judging it failed")
            return
        await self._tell(taken)

    async def _tell(self, ideas: Sequence[Idea]) -> None:
        for idea in ideas:
            seen = self._seen(idea.symbol)
            if seen is None:
                continue
            try:
                followers = await self._record.followers(idea.strategy)
            except OSError:
                # Nobody knows whose idea it is; it must not end the feed, which protects.
                log.exception("an idea is lost: the record is away", idea=idea.idea_id)
                continue
            evidence = await self._evidence(idea)
            fact = IdeaArrived(idea, seen, datetime.now(UTC), evidence)  # noqa: TID251 - when the fact arose
            log.info("idea", idea=idea.idea_id, symbol=idea.symbol, strategy=idea.strategy)
            await self._send([Message(account, None, fact) for account in sorted(followers)])

    async def _evidence(self, idea: Idea) -> Evidence | None:
        """Return a strategy's evidence, None while the record is away: an idea is then unproven."""
        try:
            return await self._record.evidence(idea.strategy, idea.strategy_version)
        except OSError:
            log.warning("evidence is not known", strategy=idea.strategy, exc_info=True)
            return None
