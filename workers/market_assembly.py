"""The market worker's composition root: the adapters behind the ports of the market engine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from activities.accounts.day_clock import DayClock
from activities.adapters.kraken.addresses import KRAKEN_ADDRESSES, AllowedHosts
from activities.adapters.kraken.feed.limited_feed import LimitedMarketFeed
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.postgres.accounts.day_journal import DayJournal
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.installation import installation_id
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.postgres.market.stress_record import PostgresStressRecord
from activities.adapters.temporal.messages import TemporalMessenger
from activities.market.clockwork import MarketClockwork
from activities.market.delivery import ConcurrentDelivery, Courier, Delivery, LockstepDelivery
from activities.market.engine import PRICE_AGE_MAXIMUM, MarketEngine
from activities.market.feed import FeedSettings, MarketFeedActivities
from activities.market.rules import MarketRulesActivities
from activities.market.strategy_runner import StrategyRunner
from activities.market.stress import StressActivities
from infra.runtime.control_token import control_headers
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.simulation.markets.instruments import UNIVERSE
from models.trading.account.settings.in_force import rules_of_account
from models.trading.settings.reading import AccountRules
from models.trading.strategies import StrategyRegistry, known
from workers.connection import connect_temporal
from workers.schedules.day_closer import day_closer
from workers.schedules.lockstep import ExchangeControl, LockstepDriver
from workers.schedules.market_jobs import market_jobs
from workers.schedules.platform_probe import RecordAndWorkflows
from workers.schedules.reconciliation import reconciliation_job


@dataclass(frozen=True, slots=True)
class MarketParts:
    """What the market worker runs."""

    client: Client
    activities: MarketFeedActivities
    rules: MarketRulesActivities
    stress: StressActivities
    databases: tuple[Database, ...]
    feed: KrakenMarketFeed
    control: ExchangeControl | None

    async def close(self) -> None:
        """Release every connection."""
        await self.feed.close()
        if self.control is not None:
            await self.control.close()
        for database in self.databases:
            await database.close()


async def assemble_market(
    settings: Settings, registry: StrategyRegistry | None = None
) -> MarketParts:
    """Connect everything; every strategy of the registry runs, whether anybody follows it or not.

    Raises:
        RuntimeError, RPCError: Temporal does not answer (yet).
        DatabaseUnavailableError: the database does not answer (yet).
    """
    client = await connect_temporal(settings)
    market_database = Database(database_url(settings, Role.MARKET), application="aether-market")
    app_database = Database(database_url(settings, Role.APP), application="aether-market")
    installation = await installation_id(app_database)
    record = PostgresMarketRecord(market_database)
    feed = market_feed(settings)
    courier = Courier(TemporalMessenger(client), record)
    clockwork = _clockwork(settings, client, app_database)
    control, driver = None, None
    delivery: Delivery = ConcurrentDelivery(courier)
    if settings.market_is_lockstep:
        control = ExchangeControl(settings.exchange_url, control_headers(settings))
        probe = RecordAndWorkflows(app_database, client)
        driver = LockstepDriver(control, probe, record, clockwork)
        delivery = LockstepDelivery(courier, driver.settle)
    journal = DayJournal(app_database)
    days = None if settings.market_is_wall_clock else DayClock(journal, day_closer(client))
    strategies = registry or known()
    activities = MarketFeedActivities(
        feed,
        record,
        lambda: MarketEngine(
            record,
            delivery,
            StrategyRunner(strategies, installation),
            price_age_maximum=max(
                PRICE_AGE_MAXIMUM, 4 * timedelta(minutes=settings.market_bar_minutes)
            ),
            deliberate_at_fences=driver is not None,
        ),
        FeedSettings(settings.market_bar_minutes),
        driver,
        clockwork,
        days,
    )
    rules = _rules(settings, client, feed, record, app_database)
    stress = _stress(app_database)
    databases = (market_database, app_database)
    return MarketParts(client, activities, rules, stress, databases, feed, control)


def market_feed(settings: Settings) -> KrakenMarketFeed:
    """Return the source of every price that is decided by.

    On Kraken's market, the only one on which an account may trade live, that is Kraken itself over
    TLS, never the simulator's relay of it, which whoever controls the simulator controls. Any other
    market exists in the simulator only.
    """
    if settings.market == "kraken":
        kraken = KRAKEN_ADDRESSES
        return LimitedMarketFeed(
            kraken.rest, kraken.public_ws, AllowedHosts.kraken_data(), UNIVERSE.symbols
        )
    return KrakenMarketFeed(
        settings.exchange_url, settings.exchange_public_ws, AllowedHosts.loopback()
    )


def _clockwork(settings: Settings, client: Client, database: Database) -> MarketClockwork | None:
    if settings.market_is_wall_clock:
        return None
    jobs = market_jobs(client, database.accounts)
    if settings.market_is_lockstep:
        jobs.append(reconciliation_job(client, database.accounts))
    return MarketClockwork(jobs)


def _rules(
    settings: Settings,
    client: Client,
    feed: KrakenMarketFeed,
    bars: PostgresMarketRecord,
    database: Database,
) -> MarketRulesActivities:
    stored, platform = PostgresMarketRules(database), PostgresPlatformSettings(database)
    return MarketRulesActivities(
        feed,
        bars,
        stored,
        stored,
        TemporalMessenger(client),
        database.accounts,
        platform.rules,
        lambda: datetime.now(UTC),
        settings.market_bar_minutes,
        platform.in_force,
    )


def _stress(database: Database) -> StressActivities:
    stored, journal = PostgresMarketRules(database), SettingsJournal(database)

    async def account_rules(account: str) -> AccountRules:
        return rules_of_account(await journal.settings_in_force(account))

    return StressActivities(
        PostgresStressRecord(database),
        stored,
        stored,
        account_rules,
        PostgresPlatformSettings(database).rules,
        lambda: datetime.now(UTC),
    )
