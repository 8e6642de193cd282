"""Balances as the private stream tells them (§14.2)."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.instruments import number
from activities.ports.exchange import BalanceReport

_log = logging.getLogger(__name__)


def streamed_balances(
    message: Mapping[str, Any], sequence: int, *, snapshot: bool
) -> BalanceReport:
    """Return what a message of the channel tells; a row that cannot be read is left out."""
    balances: dict[str, Decimal] = {}
    for row in message["data"]:
        try:
            balance = _tradable(row, snapshot=snapshot)
        except UNREADABLE:
            # What can be spent is always read by REST; this only announces changes.
            _log.exception("a balance could not be read: %.500r", row)
            continue
        if balance is not None:
            balances[str(row["asset"])] = balance
    return BalanceReport(balances, sequence)


def _tradable(row: Mapping[str, Any], *, snapshot: bool) -> Decimal | None:
    # A snapshot's total sums all wallets; what can be traded is the spot wallet (§14.2).
    if not snapshot:
        in_spot = (row.get("wallet_type") or "spot") == "spot"
        return number(row["balance"]) if in_spot else None
    wallets = row.get("wallets") or ()
    spot = [number(wallet["balance"]) for wallet in wallets if wallet.get("type") == "spot"]
    return sum(spot, Decimal(0)) if spot else number(row["balance"])
