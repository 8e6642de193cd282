"""Capital of simulated accounts, moved over the simulator's control endpoint."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from activities.ports.capital import TransferRefusedError
from models.trading.capital.flows import LedgerLine

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_SECONDS = 2.0
REFUSED = (400, 409)
"""It does not fit; or an account trades live, and then control changes nothing."""


class SimulatorFunding:
    """Implement ``capital_ports.SimulatedFunding``: only the simulator has such an endpoint."""

    def __init__(self, simulator_url: str, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._url = f"{simulator_url}/control/transfers"
        self._session: aiohttp.ClientSession | None = None

    async def transfer(
        self, account: str, reference: str, asset: str, amount: Decimal
    ) -> LedgerLine:
        """Book capital in (positive) or out (negative), once per reference.

        Raises:
            TransferRefusedError: it cannot be booked.
            aiohttp.ClientError, TimeoutError: no answer; the same call may be repeated.
        """
        body = {
            "account": account,
            "reference": reference,
            "asset": asset,
            "amount": format(amount, "f"),
        }
        if self._session is None:
            # Loaded where it is used: capital moves seldom, and every start would pay for it.
            import aiohttp

            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)
        async with self._session.post(self._url, json=body) as response:
            answer = await response.json()
            if response.status in REFUSED:
                raise TransferRefusedError(str(answer.get("error", "refused")))
            response.raise_for_status()
        entry = answer["entry"]
        return LedgerLine(
            ledger_id=entry["ledger_id"],
            kind=entry["kind"],
            asset=entry["asset"],
            amount=Decimal(entry["amount"]),
            fee=Decimal(entry["fee"]),
            at=datetime.fromisoformat(entry["exchange_time"]),
        )

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
