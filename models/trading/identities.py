"""Identifiers that are functions of what they name, so that a retry names the same thing."""

from uuid import UUID, uuid5

from models.trading.orders import Leg

_PLATFORM = UUID("6f6b5a44-5a0c-4a7e-9c4d-5c1f0b8f6a21")
"""Names requests of the platform as an installation's id names those of its accounts."""


def client_order_id(installation: str, account: str, trade: int, leg: Leg, attempt: int) -> str:
    """Derive the client order id of one order of one trade.

    The installation's own random id is part of the name, so that a fresh installation on the same
    exchange key can never repeat an id that an earlier one has used. A UUID with dashes is one of
    the forms Kraken accepts for ``cl_ord_id`` (AddOrder).
    """
    return str(uuid5(UUID(installation), f"{account}/{trade}/{leg.value}/{attempt}"))


def userref(order_id: str) -> int:
    """Derive the 31-bit tag of an order from its client order id (Kraken ``userref`` is int32)."""
    return UUID(order_id).int & 0x7FFFFFFF or 1


def approval_id(installation: str, account: str, subject: str, name: str) -> str:
    """Derive the id of a request for approval from what asked for it."""
    return str(uuid5(UUID(installation), f"approval/{account}/{subject}/{name}"))


def platform_approval_id(subject: str, name: str) -> str:
    """Derive the id of a request of the platform's: a repeated request is the same one."""
    return str(uuid5(_PLATFORM, f"{subject}/{name}"))


def idea_id(installation: str, strategy: str, version: str, symbol: str, bar: str) -> str:
    """Derive the id of an idea; a bar seen again after a restart is the same idea."""
    return str(uuid5(UUID(installation), f"idea/{strategy}/{version}/{symbol}/{bar}"))
