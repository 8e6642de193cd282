"""Chat messages by Telegram's bot API, or a server that speaks it."""

from urllib.parse import quote

import orjson

from activities.adapters.notify.post import Destinations, post, seconds
from activities.ports.notifications import (
    DeliveryFailedError,
    DeliveryRefusedError,
    Message,
    ProviderSecrets,
)

CHAT_TOKEN = "chat-token"  # noqa: S105  # the name of a secret
LONGEST_TEXT = 4_096


class ChatNotifier:
    """Implement ``Notifier``: the address is a chat's id, or ``@`` and a channel's name.

    Args:
        url: root of the API.
        destinations: where posting is allowed.
        secrets: has the bot's token, which is part of the address and is never shown.
    """

    def __init__(self, url: str, destinations: Destinations, secrets: ProviderSecrets) -> None:
        self._url = url.rstrip("/")
        self._destinations = destinations
        self._secrets = secrets

    async def notify(self, address: str, message: Message) -> None:
        """Send the text as it is, without markup."""
        token = await self._secrets.provider_secret(CHAT_TOKEN)
        if token is None:
            raise DeliveryRefusedError("no chat bot is set up")
        body = {
            "chat_id": address,
            "text": message.text[:LONGEST_TEXT],
            "link_preview_options": {"is_disabled": True},
        }
        answer = await post(
            self._destinations,
            f"{self._url}/bot{quote(token, safe=':')}/sendMessage",
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(body),
            secret=token,
        )
        _check(answer)


def _check(answer: bytes) -> None:
    """Read what the API says inside of an answer that HTTP calls a success."""
    try:
        said = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise DeliveryFailedError("the chat's answer is no JSON") from None
    if not isinstance(said, dict) or said.get("ok") is not True:
        told = said if isinstance(said, dict) else {}
        parameters = told.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        raise DeliveryFailedError(
            f"the chat refused: {str(told.get('description', ''))[:200]}", seconds(wait)
        )
