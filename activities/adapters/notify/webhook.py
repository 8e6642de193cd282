"""Webhooks signed as Standard Webhooks has it: id, time and body under HMAC-SHA-256.

Who receives one recomputes the signature with the channel's key, refuses a time more than five
minutes away, and drops an id that it has seen: a repeated message has the same id.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

import orjson

from activities.adapters.notify.post import Destinations, post
from activities.ports.notifications import DeliveryRefusedError, Message, ProviderSecrets

KEY_PREFIX = "whsec_"
WEBHOOK_KEY = "webhook-key"


def channel_key(installation_key: str, channel: str) -> str:
    """Return a channel's key as its owner is shown it once; made of the installation's own."""
    made = hmac.digest(installation_key.encode(), f"webhook/{channel}".encode(), hashlib.sha256)
    return KEY_PREFIX + base64.b64encode(made).decode()


def signature(key: str, identity: str, seconds: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a message.

    Args:
        key: with its prefix.
        identity: the message's id.
        seconds: when it is sent, Unix time.
        body: exactly what is sent.
    """
    raw = base64.b64decode(key.removeprefix(KEY_PREFIX))
    signed = f"{identity}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()


class WebhookNotifier:
    """Implement ``Notifier`` for an address of the person's own.

    Args:
        destinations: where posting is allowed.
        secrets: has the installation's key.
        clock: protocol time.
    """

    def __init__(
        self, destinations: Destinations, secrets: ProviderSecrets, clock: Callable[[], datetime]
    ) -> None:
        self._destinations = destinations
        self._secrets = secrets
        self._clock = clock

    async def notify(self, address: str, message: Message) -> None:
        """Post the message with its signature."""
        key = await self._secrets.provider_secret(WEBHOOK_KEY)
        if key is None:
            raise DeliveryRefusedError("the installation has no key for webhooks")
        body = orjson.dumps(_content(message))
        moment = int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.identity,
            "webhook-timestamp": str(moment),
            "webhook-signature": signature(
                channel_key(key, message.channel), message.identity, moment, body
            ),
        }
        await post(self._destinations, address, headers=headers, body=body)


def _content(message: Message) -> dict[str, object]:
    notice = message.notice
    return {
        "type": f"aether.{notice.event}",
        "timestamp": notice.at.isoformat(),
        "data": {
            "notification": message.notification,
            "event": notice.event,
            "severity": notice.severity.value,
            "scope": notice.scope,
            "title": notice.title,
            "detail": notice.detail,
            "runbook": notice.runbook,
            "reminder": message.level,
            "text": message.text,
        },
    }
