"""The composition root of the trading process: its steps, and with which adapters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.accounts.approvals import ApprovalActivities, CarryOut
from activities.accounts.capital import CapitalActivities
from activities.accounts.day_closing import DayActivities, DaySchedules
from activities.accounts.hedge import HedgeActivities, UnseenMarket
from activities.accounts.live_approval import LiveApprovals
from activities.accounts.modes import ModeActivities
from activities.accounts.quarantine import QuarantineInterceptor
from activities.accounts.reconciliation import ReconciliationActivities
from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.accounts.stream import AccountStreamActivities
from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory, LiveGate
from activities.adapters.kraken.limits.rate_budget import TIERS
from activities.adapters.kraken.rest.key_check import KrakenKeyInspector, KrakenKeyValidator
from activities.adapters.postgres.accounts.hedge_market import PostgresHedgeMarket
from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.governance.platform_record import PostgresPlatform
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.guarded_journal import GuardedJournal
from activities.adapters.postgres.orders.protection_waiting import read_waiting
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine, never_succeeds
from activities.adapters.postgres.record.protection import record_fault
from activities.adapters.simulator_funding import SimulatorFunding
from activities.adapters.stored_secrets import StoredSecrets
from activities.adapters.temporal.day_schedules import TemporalDaySchedules
from activities.adapters.temporal.messages import TemporalMessenger
from activities.execution.emergency_stop import EmergencyStop
from activities.execution.entry_amends import EntryAmendActivities
from activities.execution.holding import HoldingActivities
from activities.execution.orders import OrderActivities
from activities.execution.protection_load import ProtectionLoad
from activities.execution.timeouts import OrderTimeouts, order_timeouts
from activities.governance.platform import PlatformActivities
from activities.ports.capital import SimulatedFunding
from activities.ports.exchange import ExchangeDirectory
from activities.ports.journal import Journal
from activities.ports.market import HedgeMarket
from infra.runtime.control_token import control_headers
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.temporal.workers import take_turns_whole, worker_options
from models.contracts.names import TRADING_QUEUE
from models.trading.governance.subjects import Effect
from workers.connection import secret_store
from workers.keys.custody import custody_of, key_lock
from workflows.account.daily_reset import DailyResetWorkflow
from workflows.account.hedge import HedgeWorkflow
from workflows.account.reconcile import ReconcileWorkflow
from workflows.account.workflow import AccountWorkflow
from workflows.governance.approval import ApprovalWorkflow
from workflows.governance.kill_switch import KillSwitchWorkflow
from workflows.governance.live_conditions import LiveConditionsWorkflow
from workflows.governance.platform import PlatformWorkflow
from workflows.market.rules import (
    CorrelationWorkflow,
    SignalMarketRulesWorkflow,
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
    SignalMarketRulesWorkflow,
    StressWorkflow,
    LiveConditionsWorkflow,
    PlatformWorkflow,
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
    patience: OrderTimeouts
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
    secrets, live, modes = (
        StoredSecrets(secret_store(settings)),
        LiveGate(),
        PostgresModes(database),
    )
    exchanges = KrakenDirectory(
        secrets,
        addresses,
        own_locks,
        modes.mode_of,
        tier=TIERS[settings.exchange_tier],
        stamps_are_wall_clock=settings.market_is_wall_clock,
        live=live,
        watches_pairs=True,
        custody=custody_of(own_locks, lambda: database_url(settings, Role.APP)),
    )
    changes = ModeActivities(
        modes,
        secrets,
        KrakenKeyInspector(
            secrets,
            KrakenKeyValidator(
                addresses, live, own_locks, key_lock=lambda name: key_lock(own_locks, name)
            ),
        ),
        exchanges,
        database.accounts,
        PostgresJournal(database).limits_version,
        _now,
        record_fault=partial(record_fault, database, partial(record_verifiers, settings), _now),
        held_by_freeze=PostgresJournal(database).held_by_freeze,
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
        order_timeouts(lockstep=settings.market_is_lockstep),
        # A market in lockstep waits for protection itself; no trade may depend on the machine.
        None if settings.market_is_lockstep else ProtectionLoad(lambda: read_waiting(database)),
        EmergencyStop(),
    )


def trading_activities(
    exchanges: ExchangeDirectory,
    journal: Journal,
    client: Client,
    patience: OrderTimeouts | None = None,
    funding: SimulatedFunding | None = None,
    schedules: DaySchedules | None = None,
    modes: ModeActivities | None = None,
    hedge_market: HedgeMarket | None = None,
    load: ProtectionLoad | None = None,
    stop: EmergencyStop | None = None,
    effects: Mapping[Effect, CarryOut] | None = None,
    platform: PlatformActivities | None = None,
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
    approvals = ApprovalActivities(journal, messenger, effects)
    changes += [] if platform is None else _platform_steps(platform)
    return [
        *changes,
        orders.place_order,
        orders.cancel_order,
        orders.withdraw_entries,
        orders.amend_stop,
        entries.amend_entry,
        orders.exit_position,
        orders.sell_part,
        orders.resolve_order_status,
        holdings.request_holding,
        records.save_trade,
        records.save_account,
        records.record_idea,
        records.held_by_freeze,
        records.set_watches,
        records.audit,
        records.raise_kill_switch,
        records.acknowledge_kill_switch,
        records.lower_kill_switch,
        records.count_open_work,
        reports.report_progress,
        reports.signal_trades,
        reports.wake_hedge,
        hedges.review_hedge,
        hedges.record_hedge,
        approvals.save_approval,
        approvals.prove_approval,
        approvals.was_authenticated,
        approvals.settle_approval,
        reports.tell_of_kill_switch,
        reports.signal_kill_switch,
        streams.follow_account,
        checks.reconcile,
        days.measure_days,
        days.signal_boundaries,
        days.confirm_days,
        days.record_day,
        days.keep_day_schedule,
        capital.move_capital,
        capital.record_flows,
        capital.record_baseline,
    ]


def _platform_steps(platform: PlatformActivities) -> list[Any]:
    return [
        platform.change_platform_settings,
        platform.change_universe,
        platform.settle_platform_approval,
    ]


def carried_out_by(database: Database, changes: ModeActivities) -> Mapping[Effect, CarryOut]:
    """Return who carries out what no workflow does."""
    return {Effect.LIVE: LiveApprovals(PostgresModes(database), changes.terms).settle}


def trading_worker(
    client: Client, parts: TradingParts, interceptors: Sequence[Interceptor] = ()
) -> Worker:
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
            effects=carried_out_by(parts.database, parts.modes),
            platform=PlatformActivities(PostgresPlatform(parts.database)),
        ),
        interceptors=[
            QuarantineInterceptor(PostgresQuarantine(parts.database), never_succeeds, _now),
            *interceptors,
        ],
        **worker_options(),
    )
    return take_turns_whole(worker)


def _now() -> datetime:
    return datetime.now(UTC)
