"""Marking accounts to the market: into the record, and told to those whose equity has moved.

An account is told when its equity has moved by a thousandth since it was told last, so that few
facts reach it and a level is missed by no more than that and the time between two looks. It is told
again after a while in any case: an account that hears nothing must not take it for a price.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from models.trading.account.capital.facts import PricesMarked
from models.trading.capital.valuation import value_holdings

ZERO = Decimal(0)
ONE = Decimal(1)
TELLING_SHARE = Decimal("0.001")
AGAIN_WITHIN = timedelta(minutes=30)
"""Market time after which an account is told again although nothing has moved."""


FEES_READ_EVERY = timedelta(minutes=1)
ExitFees = Callable[[], Awaitable[Mapping[str, Decimal]]]


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

    def __init__(self, record: EquityRecord, exit_fees: ExitFees | None = None) -> None:
        """``exit_fees`` returns by account what a sale's fee takes off; None: nowhere anything."""
        self._record = record
        self._exit_fees = exit_fees
        self._fees: Mapping[str, Decimal] = {}
        self._fees_at: datetime | None = None
        self._told: dict[str, tuple[Decimal, frozenset[str], frozenset[str]]] = {}
        self._told_at: dict[str, datetime] = {}

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
        await self._read_fees(at)
        for account, held in sorted((await self._record.holdings()).items()):
            pairs = [f"{asset}/USD" for asset, quantity in held.items() if quantity]
            priced = {pair: prices[pair] for pair in pairs if pair in prices}
            worth = value_holdings(held, prices, listed, self._fees.get(account, ZERO))
            if worth.value is not None:
                marks.append(AccountMark(account, worth.value, held.get("USD", ZERO)))
            told = (frozenset(priced), frozenset(worth.missing))
            if self._is_due(account, at) or self._has_moved(account, worth.known, *told):
                self._told[account] = (worth.known, *told)
                self._told_at[account] = at
                now = datetime.now(UTC)  # noqa: TID251 - when the fact arose
                facts[account] = PricesMarked(priced, at, now, worth.missing, AGAIN_WITHIN)
        if marks:
            await self._record.save_equity(at, marks)
        return facts

    async def _read_fees(self, at: datetime) -> None:
        """Read what settings say once a minute of market time."""
        known = self._fees_at
        if self._exit_fees is None or (known is not None and at - known < FEES_READ_EVERY):
            return
        self._fees, self._fees_at = await self._exit_fees(), at

    def _has_moved(
        self, account: str, equity: Decimal, pairs: frozenset[str], missing: frozenset[str]
    ) -> bool:
        known = self._told.get(account)
        if known is not None:
            before, held, lacked = known
            still = abs(equity - before) <= TELLING_SHARE * max(abs(before), ONE)
            if pairs <= held and missing == lacked and still:
                return False
        return True

    def _is_due(self, account: str, at: datetime) -> bool:
        told_at = self._told_at.get(account)
        return told_at is None or at - told_at >= AGAIN_WITHIN
