"""The accounts that the simulator knows: keys, permissions, tier, opening balances."""

import base64
import binascii
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from workers.exchange.errors import StartError

FUNDS = "query-funds"
OPEN_ORDERS = "query-open-orders"
CLOSED_ORDERS = "query-closed-orders"
LEDGER = "query-ledger"
MODIFY = "modify-orders"
CANCEL = "cancel-orders"
WEBSOCKET = "websocket"
ALL_PERMISSIONS = frozenset((FUNDS, OPEN_ORDERS, CLOSED_ORDERS, LEDGER, MODIFY, CANCEL, WEBSOCKET))

WITHDRAW = "withdraw-funds"
KNOWN_PERMISSIONS = ALL_PERMISSIONS | {WITHDRAW}
"""What a key may be given: that of withdrawing is there to be refused."""

_KEY_PERMISSIONS = {
    WITHDRAW: "withdraw-funds",
    FUNDS: "query-funds",
    OPEN_ORDERS: "query-open-trades",
    CLOSED_ORDERS: "query-closed-trades",
    LEDGER: "query-ledger",
    MODIFY: "modify-trades",
    CANCEL: "close-trades",
    WEBSOCKET: "create-ws-token",
}

TIERS = ("starter", "intermediate", "pro")
DEFAULT_ACCOUNTS = ("company", "director-1", "director-2")
DEFAULT_FUNDS = "100000"


@dataclass(frozen=True, slots=True)
class AccountKey:
    """One API key of one account. ``repr`` never shows the secret.

    Attributes:
        balances: opening balances by WebSocket v2 asset name; used when the account is first seen.
        volume: 30-day volume in USD that the account starts with; it decides the fee tier.
        nonce_window: how far below the highest nonce a request is still accepted.
    """

    account: str
    key: str
    secret: str = field(repr=False)
    balances: dict[str, Decimal] = field(default_factory=dict)
    tier: str = "intermediate"
    permissions: frozenset[str] = ALL_PERMISSIONS
    volume: Decimal = Decimal(0)
    nonce_window: int = 0

    @property
    def secret_bytes(self) -> bytes:
        """Return the secret as HMAC uses it."""
        return base64.b64decode(self.secret)


def key_information(account: AccountKey, nonce: str) -> dict[str, Any]:
    """Answer GetApiKeyInfo, which needs no permission: what the key may do, in Kraken's words."""
    never = "0"
    return {
        "apiKeyName": account.account,
        "apiKey": account.key,
        "nonce": nonce,
        "nonceWindow": account.nonce_window,
        "permissions": sorted(_KEY_PERMISSIONS[name] for name in account.permissions),
        "iban": "",
        "validUntil": never,
        "queryFrom": never,
        "queryTo": never,
        "createdTime": never,
        "modifiedTime": never,
        "ipAllowlist": [],
        "lastUsed": None,
    }


def load_accounts(path: Path) -> list[AccountKey]:
    """Read a keys file: a JSON list of {account, key, secret, balances, tier, permissions, volume}.

    Raises:
        StartError: the file is missing, readable by others, malformed, or repeats a key.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise StartError(f"{path} holds secrets and is readable by others: chmod 600 {path}")
        rows = json.loads(path.read_text(), parse_float=Decimal)
    except OSError as error:
        raise StartError(f"the accounts file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StartError(f"the accounts file {path} is not JSON: {error}") from None
    if not isinstance(rows, list) or not rows:
        raise StartError(f"the accounts file {path} must be a non-empty list of keys")
    return _without_shared_keys([_account(row, path) for row in rows], path)


def generate_accounts(path: Path) -> list[AccountKey]:
    """Create the default accounts with fresh random keys and store them, readable by us only."""
    accounts = [
        AccountKey(
            account=name,
            key=base64.b64encode(secrets.token_bytes(42)).decode(),
            secret=base64.b64encode(secrets.token_bytes(64)).decode(),
            balances={"USD": Decimal(DEFAULT_FUNDS)},
        )
        for name in DEFAULT_ACCOUNTS
    ]
    rows = [asdict(account) | {"permissions": sorted(account.permissions)} for account in accounts]
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(rows, file, indent=1, default=str)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return accounts


def _account(row: Any, path: Path) -> AccountKey:
    try:
        base64.b64decode(row["secret"], validate=True)
        permissions = frozenset(row.get("permissions", ALL_PERMISSIONS))
        account = AccountKey(
            account=str(row["account"]),
            key=str(row["key"]),
            secret=str(row["secret"]),
            balances={
                str(asset): Decimal(str(amount))
                for asset, amount in row.get("balances", {"USD": DEFAULT_FUNDS}).items()
            },
            tier=str(row.get("tier", "intermediate")).lower(),
            permissions=permissions,
            volume=Decimal(str(row.get("volume", 0))),
            nonce_window=int(row.get("nonce_window", 0)),
        )
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation, binascii.Error):
        raise StartError(f"the accounts file {path} has a row without a valid key") from None
    if not account.permissions <= KNOWN_PERMISSIONS or account.tier not in TIERS:
        raise StartError(f"{path}: account {account.account} has an unknown permission or tier")
    if any(not amount.is_finite() or amount < 0 for amount in account.balances.values()):
        raise StartError(f"{path}: account {account.account} has a balance below zero")
    return account


def _without_shared_keys(accounts: list[AccountKey], path: Path) -> list[AccountKey]:
    owners: dict[str, str] = {}
    for account in accounts:
        if account.key in owners:
            raise StartError(
                f"{path}: accounts {owners[account.key]} and {account.account} share a key"
            )
        owners[account.key] = account.account
    return accounts
