"""What the exchange keeps for one account: balances, holds, orders, fills, ledger, counters."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from models.simulation.engine.orders import AmendRecord, Execution, LedgerEntry, Order
from models.simulation.gateway.rates import Counter, TierLimits, VerificationTier, tier_limits
from models.simulation.ids import identifier

ZERO = Decimal(0)


def earning(asset: str) -> str:
    """Return the wallet in which an asset earns by itself (§6)."""
    return f"{asset}.F"


_VOLUME_WINDOW = timedelta(days=30)


@dataclass
class AccountBook:
    """The exchange's own record of one account; nothing in it is ever forgotten."""

    name: str
    seed: int
    tier: VerificationTier
    initial_volume: Decimal
    balances: dict[str, Decimal] = field(default_factory=dict)
    holds: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    live: dict[str, Order] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    amends: dict[str, list[AmendRecord]] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    volume_days: dict[date, Decimal] = field(default_factory=dict)
    engine_counters: dict[str, Counter] = field(default_factory=dict)
    call_counters: dict[str, Counter] = field(default_factory=dict)
    dead_man_at: datetime | None = None

    @property
    def limits(self) -> TierLimits:
        """Return the limits of the account's verification tier."""
        return tier_limits(self.tier)

    def new_id(self, prefix: str) -> str:
        """Return the next id of a kind: ``O`` orders, ``T`` trades and amends, ``L`` ledger."""
        number = self.issued.get(prefix, 0) + 1
        self.issued[prefix] = number
        return identifier(prefix[0], self.seed, f"{self.name}/{prefix}", number)

    def engine_counter(self, symbol: str) -> Counter:
        """Return the trading-engine counter of a pair."""
        return self.engine_counters.setdefault(symbol, Counter())

    def call_counter(self, key: str) -> Counter:
        """Return the REST call counter of an API key."""
        return self.call_counters.setdefault(key, Counter())

    def available(self, asset: str) -> Decimal:
        """Return what is neither spent nor promised; orders spend what earns by itself too."""
        total = self.balances.get(asset, ZERO) + self.balances.get(earning(asset), ZERO)
        return total - self.holds.get(asset, ZERO)

    def hold(self, asset: str, change: Decimal) -> None:
        """Promise more (or, negative, less) of an asset to resting orders."""
        self.holds[asset] = self.holds.get(asset, ZERO) + change

    def write(
        self,
        refid: str,
        at: datetime,
        kind: str,
        subtype: str,
        asset: str,
        amount: Decimal,
        fee: Decimal,
    ) -> LedgerEntry:
        """Book an amount and its fee and return the ledger entry."""
        balance = self.balances.get(asset, ZERO) + amount - fee
        self.balances[asset] = balance
        entry = LedgerEntry(
            self.new_id("L"), self.name, refid, at, kind, subtype, asset, amount, fee, balance
        )
        self.ledger.append(entry)
        return entry

    def volume(self, now: datetime) -> Decimal:
        """Return the 30-day volume in USD; days that left the window are dropped."""
        oldest = (now - _VOLUME_WINDOW).date()
        for day in [day for day in self.volume_days if day < oldest]:
            del self.volume_days[day]
        return sum(self.volume_days.values(), self.initial_volume)

    def add_volume(self, now: datetime, cost: Decimal) -> None:
        """Count a fill towards the tier."""
        today = now.date()
        self.volume_days[today] = self.volume_days.get(today, ZERO) + cost

    def live_with(self, cl_ord_id: str) -> Order | None:
        """Return the live order with this client order id; it is unique among live ones."""
        return next((o for o in self.live.values() if o.cl_ord_id == cl_ord_id), None)
