"""The market worker's composition root: the adapters behind the ports of the market engine."""

from dataclasses import dataclass

from temporalio.client import Client

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.public_feed import KrakenMarketFeed
from activities.adapters.postgres.installation import installation_id
from activities.adapters.postgres.market_record import PostgresMarketRecord
from activities.market_delivery import ConcurrentDelivery, Courier, Delivery, LockstepDelivery
from activities.market_engine import MarketEngine
from activities.market_feed import FeedSettings, MarketFeedActivities
from activities.messages import TemporalMessenger
from infra.runtime.database import Database, Role, database_url
from infra.runtime.settings import Settings
from models.trading.strategies import by_name, names
from workers.connection import connect_temporal
from workers.lockstep import ExchangeControl, LockstepDriver
from workers.platform_probe import RecordAndWorkflows


@dataclass(frozen=True, slots=True)
class MarketParts:
    """What the market worker runs."""

    client: Client
    activities: MarketFeedActivities
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


async def assemble_market(settings: Settings) -> MarketParts:
    """Connect everything.

    Raises:
        RuntimeError, RPCError: Temporal does not answer (yet).
        DatabaseUnavailableError: the database does not answer (yet).
    """
    client = await connect_temporal(settings)
    market_database = Database(database_url(settings, Role.MARKET), application="aether-market")
    app_database = Database(database_url(settings, Role.APP), application="aether-market")
    installation = await installation_id(app_database)
    record = PostgresMarketRecord(market_database)
    feed = KrakenMarketFeed(
        settings.exchange_url, settings.exchange_public_ws, AllowedHosts.loopback()
    )
    courier = Courier(TemporalMessenger(client), record)
    control, driver = None, None
    delivery: Delivery = ConcurrentDelivery(courier)
    if settings.market_speed == "lockstep":
        control = ExchangeControl(settings.exchange_url)
        driver = LockstepDriver(control, RecordAndWorkflows(app_database, client), record)
        delivery = LockstepDelivery(courier, driver.settle)
    strategies = [by_name(name) for name in names()]
    activities = MarketFeedActivities(
        feed,
        record,
        lambda: MarketEngine(
            record,
            delivery,
            strategies,
            installation,
            deliberate_at_fences=driver is not None,
        ),
        FeedSettings(settings.market_bar_minutes),
        driver,
    )
    return MarketParts(client, activities, (market_database, app_database), feed, control)
