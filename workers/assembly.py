"""The composition root: the only place where adapters are picked for the ports."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.accounts.approvals import ApprovalActivities, ChangePlatform
from activities.accounts.capital import CapitalActivities
from activities.accounts.day_closing import DayActivities, DaySchedules
from activities.accounts.hedge import HedgeActivities, UnseenMarket
from activities.accounts.modes import ModeActivities
from activities.accounts.quarantine import QuarantineInterceptor
from activities.accounts.reconciliation import ReconciliationActivities
from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.accounts.stream import AccountStreamActivities
from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory, LiveGate
from activities.adapters.kraken.limits.rate_budget import TIERS
from activities.adapters.kraken.rest.key_check import KrakenKeyInspector
from activities.adapters.kraken.rest.nonce import FileKeyLock, KeyLock, SeveralLocks
from activities.adapters.local_secrets import LocalSecrets
from activities.adapters.platform_changes import PlatformChanges
from activities.adapters.postgres.accounts.hedge_market import PostgresHedgeMarket
from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.guarded_journal import GuardedJournal
from activities.adapters.postgres.orders.protection_waiting import read_waiting
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.adapters.postgres.record.protection import record_fault
from activities.adapters.simulator_funding import SimulatorFunding
from activities.adapters.temporal.day_schedules import TemporalDaySchedules
from activities.adapters.temporal.messages import TemporalMessenger
from activities.execution.emergency_stop import EmergencyStop
from activities.execution.entry_amends import EntryAmendActivities
from activities.execution.holding import HoldingActivities
from activities.execution.orders import OrderActivities
from activities.execution.protection_load import ProtectionLoad
from activities.execution.timeouts import Patience, patience_in
from activities.ports.capital import SimulatedFunding
from activities.ports.exchange import ExchangeDirectory
from activities.ports.journal import Journal
from activities.ports.market import HedgeMarket
from infra.runtime.cache_directory import keys_in_use
from infra.runtime.control_token import control_headers
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import take_turns_whole, worker_options
from models.contracts.names import TRADING_QUEUE
from workers.connection import secret_store
from workflows.account.daily_reset import DailyResetWorkflow
from workflows.account.hedge import HedgeWorkflow
from workflows.account.reconcile import ReconcileWorkflow
from workflows.account.workflow import AccountWorkflow
from workflows.governance.approval import ApprovalWorkflow
from workflows.governance.kill_switch import KillSwitchWorkflow
from workflows.governance.live_conditions import LiveConditionsWorkflow
from workflows.market.rules import (
    CorrelationWorkflow,
    TellMarketRulesWorkflow,
    UniverseReviewWorkflow,
)
from workflows.market.streams import AccountStreamWorkflow, MarketFeedWorkflow
from workflows.market.stress import StressWorkflow
from workflows.trade.workflow import TradeWorkflow

TRADING_WORKFLOWS = (
    AccountWorkflow,
    TradeWorkflow,
    KillSwitchWorkflow,
    ReconcileWorkflow,
    DailyResetWorkflow,
    ApprovalWorkflow,
    HedgeWorkflow,
    AccountStreamWorkflow,
    MarketFeedWorkflow,
    UniverseReviewWorkflow,
    CorrelationWorkflow,
    TellMarketRulesWorkflow,
    StressWorkflow,
    LiveConditionsWorkflow,
)


@dataclass(frozen=True)
class TradingParts:
    """What the trading worker's activities work with."""

    database: Database
    journal: PostgresJournal
    exchanges: KrakenDirectory
    modes: ModeActivities
    funding: SimulatorFunding
    days_by_schedule: bool
    hedge_market: HedgeMarket
    patience: Patience
    load: ProtectionLoad | None
    stop: EmergencyStop

    async def close(self) -> None:
        """Release exchange keys and connections."""
        await self.exchanges.close()
        await self.funding.close()
        await self.database.close()


def trading_parts(settings: Settings) -> TradingParts:
    """Pick the adapters of the trading worker."""
    database = Database(database_url(settings, Role.APP), application="aether-trading")
    addresses = ExchangeAddresses(
        settings.exchange_url, settings.exchange_public_ws, settings.exchange_private_ws
    )
    own_locks = settings.home / "keys"
    own_locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    secrets, live, modes = LocalSecrets(secret_store(settings)), LiveGate(), PostgresModes(database)
    exchanges = KrakenDirectory(
        secrets,
        addresses,
        own_locks,
        modes.mode_of,
        tier=TIERS[settings.exchange_tier],
        stamps_are_wall_clock=settings.market_is_wall_clock,
        live=live,
        watches_pairs=True,
        key_lock=lambda name: key_lock(own_locks, name),
    )
    changes = ModeActivities(
        modes,
        secrets,
        KrakenKeyInspector(
            secrets, live, own_locks, key_lock=lambda name: key_lock(own_locks, name)
        ),
        exchanges,
        database.accounts,
        PostgresJournal(database).limits_version,
        _now,
        record_fault=partial(record_fault, database, partial(record_verifiers, settings), _now),
        market_is_live=settings.market_is_wall_clock,
    )
    funding = SimulatorFunding(settings.exchange_url, control_headers(settings))
    journal = GuardedJournal(database)
    by_schedule = settings.market_is_wall_clock
    market = PostgresHedgeMarket(database)
    return TradingParts(
        database,
        journal,
        exchanges,
        changes,
        funding,
        by_schedule,
        market,
        patience_in(lockstep=settings.market_is_lockstep),
        # A market in lockstep waits for protection itself; no trade may depend on the machine.
        None if settings.market_is_lockstep else ProtectionLoad(lambda: read_waiting(database)),
        EmergencyStop(),
    )


def key_lock(installation: Path, name: str) -> KeyLock:
    """Return the lock of an exchange key: for this installation, and for all of this machine.

    Two installations of one user find the same file in his cache directory, wherever they are.
    """
    return SeveralLocks(
        FileKeyLock(installation / f"{name}.lock"), FileKeyLock(keys_in_use() / f"{name}.lock")
    )


def trading_activities(
    exchanges: ExchangeDirectory,
    journal: Journal,
    client: Client,
    patience: Patience | None = None,
    funding: SimulatedFunding | None = None,
    schedules: DaySchedules | None = None,
    modes: ModeActivities | None = None,
    hedge_market: HedgeMarket | None = None,
    load: ProtectionLoad | None = None,
    stop: EmergencyStop | None = None,
    change_platform: ChangePlatform | None = None,
) -> list[Any]:
    """Return every activity of the trading queue over its ports."""
    messenger = TemporalMessenger(client)
    records = RecordActivities(journal)
    reports = ReportActivities(messenger)
    streams = AccountStreamActivities(exchanges, journal, messenger)
    is_stopped = (stop or EmergencyStop()).stops
    orders = OrderActivities(
        exchanges,
        journal,
        _now,
        patience,
        streams.deliver_recorded,
        is_stopped=is_stopped,
        refusal_for_load=(lambda _: None) if load is None else load.refusal,
    )
    entries = EntryAmendActivities(exchanges, journal, _now, is_stopped)
    holdings = HoldingActivities(exchanges, journal, _now)
    checks = ReconciliationActivities(exchanges, journal, messenger, _now, journal)
    days = DayActivities(journal, messenger, _now, schedules, streams.is_level)
    capital = CapitalActivities(journal, funding, _now)
    changes = [] if modes is None else [modes.gather_live_facts, modes.change_exchange]
    hedges = HedgeActivities(hedge_market or UnseenMarket(), journal, messenger, _now)
    approvals = ApprovalActivities(journal, messenger, change_platform)
    return [
        *changes,
        orders.place_order,
        orders.cancel_order,
        orders.withdraw_entries,
        orders.amend_stop,
        entries.amend_entry,
        orders.exit_position,
        orders.sell_part,
        orders.ask_orders,
        holdings.ask_holding,
        records.save_trade,
        records.save_account,
        records.record_idea,
        records.set_watches,
        records.audit,
        records.raise_kill_switch,
        records.acknowledge_kill_switch,
        records.lower_kill_switch,
        records.count_open_work,
        reports.report_progress,
        reports.tell_trades,
        reports.wake_hedge,
        hedges.review_hedge,
        hedges.record_hedge,
        approvals.save_approval,
        approvals.settle_approval,
        reports.tell_of_kill_switch,
        reports.tell_kill_switch,
        streams.follow_account,
        checks.reconcile,
        days.measure_days,
        days.tell_boundaries,
        days.confirm_days,
        days.record_day,
        days.keep_day_schedule,
        capital.move_capital,
        capital.record_flows,
        capital.record_baseline,
    ]


def trading_worker(client: Client, parts: TradingParts) -> Worker:
    """Return the worker of the trading queue: workflows and order activities together, eager."""
    worker = Worker(
        client,
        task_queue=TRADING_QUEUE,
        workflows=TRADING_WORKFLOWS,
        activities=trading_activities(
            parts.exchanges,
            parts.journal,
            client,
            parts.patience,
            modes=parts.modes,
            funding=parts.funding,
            schedules=TemporalDaySchedules(client) if parts.days_by_schedule else None,
            hedge_market=parts.hedge_market,
            load=parts.load,
            stop=parts.stop,
            change_platform=PlatformChanges(
                PostgresPlatformSettings(parts.database), client
            ).change,
        ),
        interceptors=[QuarantineInterceptor(PostgresQuarantine(parts.database), _now)],
        **worker_options(),
    )
    return take_turns_whole(worker)


def _now() -> datetime:
    return datetime.now(UTC)
