"""Marking accounts to the market: into the record, and told to those whose equity has moved.

An account is told when its equity has moved by a thousandth since it was told last, so that few
facts reach it and a level is missed by no more than that and the time between two looks.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from models.trading.account.capital.facts import PricesMarked
from models.trading.capital.valuation import value_holdings

ZERO = Decimal(0)
ONE = Decimal(1)
TELLING_SHARE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class AccountMark:
    """What one account was worth in USD at a market time."""

    account: str
    equity: Decimal
    cash: Decimal


class EquityRecord(Protocol):
    """What the market worker sees of accounts, and where it writes their equity."""

    async def holdings(self) -> dict[str, dict[str, Decimal]]:
        """Return totals by asset of every account that holds something, open trades included."""
        ...

    async def save_equity(self, at: datetime, marks: list[AccountMark]) -> None:
        """Write equity at a market time; the first mark of an account and minute is kept."""
        ...


class EquityWatch:
    """Remembers what each account was last told."""

    def __init__(self, record: EquityRecord) -> None:
        self._record = record
        self._told: dict[str, tuple[Decimal, frozenset[str], frozenset[str]]] = {}

    async def mark(
        self,
        at: datetime,
        prices: Mapping[str, Decimal],
        listed: Collection[str] | None = None,
    ) -> dict[str, PricesMarked]:
        """Mark every account at a market time; returns what is to be told, by account.

        An account whose value is unknown is kept out of the record, not from being told the rest.
        ``listed`` names the pairs followed, None while they are not known.
        """
        marks, facts = [], {}
        for account, held in sorted((await self._record.holdings()).items()):
            pairs = [f"{asset}/USD" for asset, quantity in held.items() if quantity]
            priced = {pair: prices[pair] for pair in pairs if pair in prices}
            worth = value_holdings(held, prices, listed)
            if worth.value is not None:
                marks.append(AccountMark(account, worth.value, held.get("USD", ZERO)))
            if self._has_moved(account, worth.known, frozenset(priced), frozenset(worth.missing)):
                facts[account] = PricesMarked(priced, at, datetime.now(UTC), worth.missing)
        if marks:
            await self._record.save_equity(at, marks)
        return facts

    def _has_moved(
        self, account: str, equity: Decimal, pairs: frozenset[str], missing: frozenset[str]
    ) -> bool:
        known = self._told.get(account)
        if known is not None:
            before, held, lacked = known
            still = abs(equity - before) <= TELLING_SHARE * max(abs(before), ONE)
            if pairs <= held and missing == lacked and still:
                return False
        self._told[account] = (equity, pairs, missing)
        return True
