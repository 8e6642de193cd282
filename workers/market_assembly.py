"""The market worker's composition root: the adapters behind the ports of the market engine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from temporalio.client import Client

from activities.accounts.day_clock import DayClock
from activities.adapters.kraken.addresses import KRAKEN_ADDRESSES, AllowedHosts
from activities.adapters.kraken.feed.limited_feed import LimitedMarketFeed
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.mlflow.registry import MlflowRegistry
from activities.adapters.postgres.accounts.day_journal import DayJournal
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.installation import installation_id
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.adapters.postgres.market.figures_record import PostgresMarketFigures
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.adapters.postgres.market.quality_record import PostgresQuality
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.postgres.market.stress_record import PostgresStressRecord
from activities.adapters.temporal.messages import TemporalMessenger
from activities.market.champion import ChampionJudge
from activities.market.delivery import ConcurrentDelivery, Delivery, LockstepDelivery, Sender
from activities.market.engine import PRICE_AGE_MAXIMUM, MarketEngine
from activities.market.feed import FeedSettings, MarketFeedActivities
from activities.market.figures import MarketFiguresKeeper
from activities.market.market_time_scheduler import MarketTimeScheduler
from activities.market.rules import MarketRulesActivities
from activities.market.second_feed import SecondFeedWatch
from activities.market.strategy_runner import StrategyRunner
from activities.market.stress import StressActivities
from infra.runtime.control_token import control_headers
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.model_keys import ModelSignatures
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
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
    figures: MarketFiguresKeeper
    second: SecondFeedWatch | None = None

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
    sender = Sender(TemporalMessenger(client), record)
    market_time_scheduler = _market_time_scheduler(settings, client, app_database)
    control, driver = None, None
    delivery: Delivery = ConcurrentDelivery(sender)
    if settings.market_is_lockstep:
        control = ExchangeControl(settings.exchange_url, control_headers(settings))
        probe = RecordAndWorkflows(app_database, client)
        driver = LockstepDriver(control, probe, record, market_time_scheduler)
        delivery = LockstepDelivery(sender, driver.settle)
    journal = DayJournal(app_database)
    days = None if settings.market_is_wall_clock else DayClock(journal, day_closer(client))
    strategies = registry or known()
    champion = _champion(settings, market_database, installation)
    activities = MarketFeedActivities(
        feed,
        record,
        lambda: MarketEngine(
            record,
            delivery,
            StrategyRunner(strategies, installation, champion.take),
            price_age_maximum=max(
                PRICE_AGE_MAXIMUM, 4 * timedelta(minutes=settings.market_bar_minutes)
            ),
            evaluate_at_fences=driver is not None,
            champion=champion,
        ),
        FeedSettings(settings.market_bar_minutes),
        driver,
        market_time_scheduler,
        days,
        partial(_exit_fees, app_database),
    )
    rules = _rules(settings, client, feed, record, app_database)
    stress = _stress(app_database)
    databases = (market_database, app_database)
    second = _second_feed(settings, activities, market_database)
    figures = MarketFiguresKeeper(lambda: activities.engine, PostgresMarketFigures(market_database))
    return MarketParts(client, activities, rules, stress, databases, feed, control, figures, second)


def _champion(settings: Settings, database: Database, installation: str) -> ChampionJudge:
    token = StateDirectory(settings.home).registry_token
    return ChampionJudge(
        PostgresModelRecord(database),
        MlflowRegistry(settings.registry_url, token),
        ModelSignatures(settings.home),
        installation,
        is_watched=settings.learning,
        clock=lambda: datetime.now(UTC),
    )


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


def _second_feed(
    settings: Settings, activities: MarketFeedActivities, database: Database
) -> SecondFeedWatch | None:
    """Return what compares prices with a second source, None where none is set."""
    if not settings.second_feed:
        return None
    # Here, as its libraries are loaded only where a second source is asked.
    from activities.adapters.coingecko.prices import CoinGeckoPrices

    def own() -> dict[str, Decimal | None]:
        engine = activities.engine
        if engine is None:
            return {}
        return {**dict.fromkeys(engine.symbols), **engine.prices()}

    def tell(symbol: str, apart: Decimal | None) -> None:
        engine = activities.engine
        if engine is not None and symbol in engine.symbols:
            engine.symbols[symbol].note_second(apart)

    simulated = settings.second_feed == "simulator"
    address = settings.coingecko_url if simulated else settings.second_feed
    return SecondFeedWatch(
        CoinGeckoPrices(address),
        own,
        PostgresQuality(database),
        lambda: datetime.now(UTC),
        tell=tell,
    )


def _market_time_scheduler(
    settings: Settings, client: Client, database: Database
) -> MarketTimeScheduler | None:
    if settings.market_is_wall_clock:
        return None
    jobs = market_jobs(client, database.accounts)
    if settings.market_is_lockstep:
        jobs.append(reconciliation_job(client, database.accounts))
    return MarketTimeScheduler(jobs)


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
        own_market=settings.market != "kraken",
    )


async def _exit_fees(database: Database) -> dict[str, Decimal]:
    """Return by account what a sale's fee takes off the value of what is held."""
    journal = SettingsJournal(database)
    return {
        account: rules_of_account(await journal.settings_in_force(account)).exit_fee_share
        for account in await database.accounts()
    }


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
