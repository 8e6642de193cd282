"""Which outbox and broker the bridge to other systems has."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from activities.adapters.nats.broker import NatsBroker
from activities.adapters.postgres.record.outbox import PostgresOutbox
from activities.events.bridge import EventBridge
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings


@dataclass(frozen=True)
class BridgeParts:
    """The bridge and what it works with."""

    database: Database
    outbox: PostgresOutbox
    broker: NatsBroker
    bridge: EventBridge

    async def close(self) -> None:
        """Give connections back."""
        await self.broker.close()
        await self.database.close()


def bridge_parts(settings: Settings, told: Callable[[str], None]) -> BridgeParts:
    """Pick the adapters of the bridge; ``told`` hears after each round why events wait.

    Raises:
        ConfigurationError: there is no broker.
    """
    if settings.events_url is None:
        raise ConfigurationError("AETHER_EVENTS_URL names no broker: there is nobody to tell")
    database = Database(
        database_url(settings, Role.EVENTS), application="aether-events", connections=4
    )
    outbox = PostgresOutbox(database)
    broker = NatsBroker(settings.events_url, settings.events_stream, settings.events_credentials)
    return BridgeParts(database, outbox, broker, EventBridge(outbox, broker, _now, told))


def _now() -> datetime:
    return datetime.now(UTC)
