"""Text messages by a provider's HTTP API: the form that Twilio takes, and others after it."""

import base64
from dataclasses import dataclass

from activities.adapters.notify.post import Destinations, post
from activities.ports.notifications import DeliveryRefusedError, Message, ProviderSecrets

SMS_TOKEN = "sms-token"  # noqa: S105  # the name of a secret


@dataclass(frozen=True, slots=True)
class SmsProvider:
    """Where text messages are handed in, and as whom; without ``url`` none is set up."""

    url: str = ""
    account: str = ""
    sender: str = ""


class SmsNotifier:
    """Implement ``Notifier``: the address is a phone number, ``+`` and digits."""

    def __init__(
        self, provider: SmsProvider, destinations: Destinations, secrets: ProviderSecrets
    ) -> None:
        self._provider = provider
        self._destinations = destinations
        self._secrets = secrets

    async def notify(self, address: str, message: Message) -> None:
        """Hand the short text in, with the account and its token as HTTP Basic credentials."""
        token = await self._secrets.provider_secret(SMS_TOKEN)
        if not self._provider.url or token is None:
            raise DeliveryRefusedError("no provider of text messages is set up")
        basic = base64.b64encode(f"{self._provider.account}:{token}".encode()).decode()
        await post(
            self._destinations,
            self._provider.url,
            headers={"Authorization": f"Basic {basic}", "Idempotency-Key": message.identity},
            form={"From": self._provider.sender, "To": address, "Body": message.short_text},
            secret=token,
        )
