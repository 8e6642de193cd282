"""Days and capital of the record in memory; figures of boundaries are what a test says they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from activities.ports.capital import BoundaryFigures, RunningDay
from models.trading.account.capital.facts import FlowNoted, TradeExecuted
from models.trading.account.state import AccountState
from models.trading.capital.days import DailyRecord
from models.trading.capital.flows import FlowSource, NavBaseline


@dataclass
class FakeBooks:
    """The promises of the record: each day and each flow is there once."""

    days: dict[tuple[str, datetime], DailyRecord] = field(default_factory=dict)
    day_writes: list[tuple[str, datetime]] = field(default_factory=list)
    boundary: BoundaryFigures = field(default_factory=BoundaryFigures)
    executed: dict[int, TradeExecuted] = field(default_factory=dict)
    flows: dict[tuple[str, str], FlowNoted] = field(default_factory=dict)
    baselines: list[tuple[str, NavBaseline]] = field(default_factory=list)
    ledgers_read: dict[str, datetime] = field(default_factory=dict)
    asset_prices: dict[str, Decimal] = field(default_factory=dict)
    saved_accounts: dict[str, AccountState] = field(default_factory=dict)

    async def running_day(self, account: str) -> RunningDay | None:
        saved = self.saved_accounts.get(account)
        if saved is None or saved.drawdown is None:
            return None
        closed = [at for owner, at in self.days if owner == account]
        return RunningDay(saved.drawdown.opened_at, saved.day, max(closed, default=None))

    async def boundary_figures(
        self, account: str, opened_at: datetime, boundary: datetime
    ) -> BoundaryFigures:
        return self.boundary

    async def executed_since(self, account: str, at: datetime) -> dict[int, TradeExecuted]:
        return self.executed

    async def prices_reach(self, account: str, boundary: datetime) -> bool:
        return True

    async def save_day(self, account: str, record: DailyRecord) -> None:
        self.day_writes.append((account, record.closed_at))
        self.days.setdefault((account, record.closed_at), record)

    async def save_flows(self, account: str, flows: Sequence[FlowNoted]) -> None:
        for noted in flows:
            name = (account, noted.flow.flow_id)
            known = self.flows.setdefault(name, noted)
            by_hand = noted.flow.source is FlowSource.BY_HAND
            if by_hand and known.flow.source is FlowSource.LEDGER:
                flow = replace(known.flow, source=noted.flow.source, author=noted.flow.author)
                self.flows[name] = replace(known, flow=flow)

    async def known_flows(self, account: str) -> set[str]:
        return {flow for owner, flow in self.flows if owner == account}

    async def ledger_read_until(self, account: str) -> datetime | None:
        return self.ledgers_read.get(account)

    async def advance_ledger(self, account: str, at: datetime) -> None:
        self.ledgers_read[account] = max(at, self.ledgers_read.get(account, at))

    async def price_at(self, asset: str, at: datetime) -> Decimal | None:
        return self.asset_prices.get(asset)

    async def save_baseline(self, account: str, baseline: NavBaseline) -> None:
        if (account, baseline) not in self.baselines:
            self.baselines.append((account, baseline))
