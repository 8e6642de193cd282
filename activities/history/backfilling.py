"""Fill trades back page by page: each page judged, each trade once, resumable at every page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol


class Page(Protocol):
    """Trades (``trade_id``, ``at``, ``price``, ``quantity``, ``side``) and the next cursor."""

    @property
    def trades(self) -> tuple[Any, ...]:
        """Return the trades, oldest first."""
        ...

    @property
    def cursor(self) -> str:
        """Return where the next page begins."""
        ...


class TradeRecord(Protocol):
    """Where past trades of one pair at one venue are kept."""

    def save(self, trades: Sequence[Any], cursor: str) -> int:
        """Write a page and its cursor in one transaction; return how many trades were new."""
        ...

    def refuse(self, cursor: str, finding: str) -> None:
        """Note why the page after a cursor was not taken."""
        ...


@dataclass(frozen=True, slots=True)
class TradesFilled:
    """What a run filled back; ``finding`` is why it ended before the present, else empty."""

    pages: int = 0
    trades: int = 0
    new_trades: int = 0
    reached: datetime | None = None
    finding: str = ""


def fill_trades(
    pages: Iterable[Page],
    record: TradeRecord,
    cursor: str,
    until: datetime | None = None,
    tell: Callable[[TradesFilled], None] = lambda _: None,
) -> TradesFilled:
    """Take pages from a cursor up to a moment, or to the present; a page with a fault ends it."""
    from models.learning.history.trades import judge_trades

    filled = TradesFilled()
    for page in pages:
        rows = page.trades
        finding = judge_trades(
            [one.trade_id for one in rows],
            [one.at for one in rows],
            [one.price for one in rows],
            [one.quantity for one in rows],
        )
        if finding:
            finding = f"page after {cursor}: {finding}"
            record.refuse(cursor, finding)
            return replace(filled, finding=finding)
        new, cursor = record.save(rows, page.cursor), page.cursor
        filled = TradesFilled(
            filled.pages + 1, filled.trades + len(rows), filled.new_trades + new, rows[-1].at
        )
        tell(filled)
        if until is not None and rows[-1].at >= until:
            break
    return filled
