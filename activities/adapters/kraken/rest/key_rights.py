"""What a key may do, in the domain's words, asked with the one call that needs no permission."""

from collections.abc import Iterable

from activities.adapters.kraken.errors import Operation
from activities.adapters.kraken.rest.transport import Transport
from activities.ports.exchange_errors import ExchangeUnavailableError

WORDS = {
    "query-funds": "query_funds",
    "query-open-trades": "query_open_orders",
    "query-closed-trades": "query_closed_orders",
    "query-ledger": "query_ledger",
    "modify-trades": "modify_orders",
    "close-trades": "cancel_orders",
    "create-ws-token": "websocket",
}
"""Kraken's words for what a key may do, and the domain's."""


async def key_permissions(transport: Transport) -> frozenset[str]:
    """Ask what the key of a transport may do: the one call that needs no permission.

    Raises:
        ExchangeError: no answer that tells.
    """
    answer = await transport.private("GetApiKeyInfo", {}, Operation.READ)
    try:
        return permissions_of(answer["permissions"])
    except (LookupError, TypeError, ValueError, AttributeError) as failure:
        raise ExchangeUnavailableError(f"GetApiKeyInfo: {failure!r}") from failure


def permissions_of(words: Iterable[str]) -> frozenset[str]:
    """Return the domain's words; whatever speaks of withdrawing is one that a key must not have."""
    return frozenset(
        "withdraw_funds" if "withdraw" in word else WORDS.get(word, word) for word in words
    )
