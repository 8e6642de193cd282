"""The composition root: the only place where adapters are picked for the ports."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.account_stream import AccountStreamActivities
from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.adapters.kraken.rate_budget import TIERS
from activities.adapters.local_secrets import LocalSecrets
from activities.adapters.postgres.journal import PostgresJournal
from activities.messages import TemporalMessenger
from activities.orders import OrderActivities
from activities.placement import Patience
from activities.ports import ExchangeDirectory, Journal
from activities.reconciliation import ReconciliationActivities
from activities.records import RecordActivities
from activities.reports import ReportActivities
from infra.runtime.database import Database, Role, database_url
from infra.runtime.settings import Settings
from infra.runtime.temporal import take_turns_whole, worker_options
from models.contracts.names import TRADING_QUEUE
from workers.connection import secret_store
from workflows.account import AccountWorkflow
from workflows.kill_switch import KillSwitchWorkflow
from workflows.reconcile import ReconcileWorkflow
from workflows.streams import AccountStreamWorkflow, MarketFeedWorkflow
from workflows.trade import TradeWorkflow

TRADING_WORKFLOWS = (
    AccountWorkflow,
    TradeWorkflow,
    KillSwitchWorkflow,
    ReconcileWorkflow,
    AccountStreamWorkflow,
    MarketFeedWorkflow,
)


@dataclass(frozen=True)
class TradingParts:
    """What the trading worker's activities work with."""

    database: Database
    journal: PostgresJournal
    exchanges: KrakenDirectory

    async def close(self) -> None:
        """Release exchange keys and connections."""
        await self.exchanges.close()
        await self.database.close()


def trading_parts(settings: Settings) -> TradingParts:
    """Pick the adapters of the trading worker."""
    database = Database(database_url(settings, Role.APP), application="aether-trading")
    addresses = ExchangeAddresses(
        settings.exchange_url, settings.exchange_public_ws, settings.exchange_private_ws
    )
    keys_in_use = settings.home / "keys"
    keys_in_use.mkdir(mode=0o700, parents=True, exist_ok=True)
    exchanges = KrakenDirectory(
        LocalSecrets(secret_store(settings)),
        addresses,
        keys_in_use,
        tier=TIERS[settings.exchange_tier],
        stamps_are_wall_clock=settings.market == "kraken" and settings.market_speed == "1",
    )
    return TradingParts(database, PostgresJournal(database), exchanges)


def trading_activities(
    exchanges: ExchangeDirectory,
    journal: Journal,
    client: Client,
    patience: Patience | None = None,
) -> list[Any]:
    """Return every activity of the trading queue over its ports."""
    messenger = TemporalMessenger(client)
    records = RecordActivities(journal)
    reports = ReportActivities(messenger)
    streams = AccountStreamActivities(exchanges, journal, messenger)
    orders = OrderActivities(exchanges, journal, _now, patience, streams.deliver_recorded)
    checks = ReconciliationActivities(exchanges, journal, messenger, _now)
    return [
        orders.place_order,
        orders.cancel_order,
        orders.withdraw_entries,
        orders.amend_stop,
        orders.exit_position,
        orders.ask_orders,
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
        reports.tell_of_kill_switch,
        streams.follow_account,
        checks.reconcile,
    ]


def trading_worker(client: Client, parts: TradingParts) -> Worker:
    """Return the worker of the trading queue: workflows and order activities together, eager."""
    worker = Worker(
        client,
        task_queue=TRADING_QUEUE,
        workflows=TRADING_WORKFLOWS,
        activities=trading_activities(parts.exchanges, parts.journal, client),
        **worker_options(),
    )
    return take_turns_whole(worker)


def _now() -> datetime:
    return datetime.now(UTC)
