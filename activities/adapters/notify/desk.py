"""Where the API begins notifications, and asks what can be sent and where to."""

from datetime import datetime

from temporalio.client import Client

from activities.adapters.notify.kinds import destinations, unavailable_kinds
from activities.adapters.notify.webhook import WEBHOOK_KEY, channel_key
from activities.adapters.postgres.notifications import choices
from activities.adapters.postgres.notifications.choices import NewChannel
from activities.adapters.temporal.notifications import begin_notification, signal_acknowledged
from infra.runtime.database.connections import Database
from infra.runtime.errors import StateError
from infra.runtime.secrets import InstallationSecrets, installation_secrets
from infra.runtime.settings import Settings
from models.trading.governance.notifications.notice import Notice
from models.trading.governance.notifications.routing import ChannelKind


class NotificationDesk:
    """One installation's notifications for those who ask by the API.

    Args:
        settings: of the installation.
        database: of the role ``aether_api``.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def begin(self, client: Client, notice: Notice) -> None:
        """Begin a notification.

        Raises:
            ConnectionError: the workflow engine does not answer.
        """
        await begin_notification(client, notice)

    async def acknowledge(self, notification: str, by: str, at: datetime) -> None:
        """Write that somebody has seen a notification; the first who has is kept."""
        await choices.acknowledge(self._database, notification, by, at)

    async def signal_acknowledged(self, client: Client, key: str, notification: str) -> None:
        """Tell the incident's workflow.

        Raises:
            ConnectionError: the workflow engine does not answer; the record says it all the same.
        """
        await signal_acknowledged(client, key, notification)

    async def add_channel(
        self,
        channel: str,
        user: str,
        kind: ChannelKind,
        label: str,
        address: str,
        minimum: str,
        events: tuple[str, ...],
        at: datetime,
    ) -> str | None:
        """Add a channel of a person, once; return a webhook's key, None for other kinds."""
        new = NewChannel(channel, user, kind.value, label, address, minimum, events)
        await choices.add_channel(self._database, new, at)
        if kind is not ChannelKind.WEBHOOK:
            return None
        return channel_key(self._store().made_provider_secret(WEBHOOK_KEY), channel)

    async def remove_channel(self, user: str, channel: str, at: datetime) -> bool:
        """Remove a person's channel; False when they have none of that id."""
        return await choices.remove_channel(self._database, user, channel, at)

    async def set_quiet_hours(
        self, user: str, begins: str, ends: str, zone: str, at: datetime
    ) -> None:
        """Set a person's quiet hours."""
        await choices.set_quiet_hours(self._database, user, begins, ends, zone, at)

    def missing_kinds(self) -> dict[ChannelKind, str]:
        """Return the kinds of channels that nothing is set up for, and what is missing."""
        try:
            known = self._store().provider_secrets()
        except StateError:
            known = frozenset()
        return unavailable_kinds(self._settings, known)

    def check_webhook(self, address: str) -> None:
        """Refuse an address that is never called.

        Raises:
            DeliveryRefusedError: says why.
        """
        destinations(self._settings).check(address)

    def _store(self) -> InstallationSecrets:
        return installation_secrets(self._settings)
