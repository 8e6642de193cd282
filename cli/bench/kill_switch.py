"""The kill switch under measure: how soon all accounts are halted and resting entries are gone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from cli.bench.figures import figure, milliseconds
from cli.bench.load import (
    PAIRS,
    PATIENCE_SECONDS,
    STOP,
    WORTH_USD,
    BenchError,
    Load,
    Market,
    wait_until,
)
from cli.bench.people import BenchPerson, lift
from cli.client import ApiClient, RefusedError
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings

OPEN_ORDERS = 50
LIMIT = Decimal("0.95")
LOOK_EVERY_SECONDS = 0.005
REASON = {"reason": "benchmark of the kill switch"}

_ACKNOWLEDGED = text("SELECT acknowledged FROM kill_switches WHERE number = :number")


class KillSwitchBench:
    """Engages and lifts; collects milliseconds from the request on."""

    def __init__(
        self,
        settings: Settings,
        api: ApiClient,
        load: Load,
        market: Market,
        accounts: Sequence[str],
    ) -> None:
        self._settings = settings
        self._people: tuple[BenchPerson, BenchPerson] | None = None
        self._database = Database(database_url(settings, Role.READER), application="aether-bench")
        self._api = api
        self._load = load
        self._market = market
        self._accounts = accounts
        self._halted: list[float] = []
        self._parts: dict[str, list[float]] = {
            "flag_set_and_answered": [],
            "acknowledged_on_record": [],
        }
        self._withdrawn: list[float] = []
        self._recorded: list[float] = []
        self._resting: list[int] = []

    async def run(self, engagements: int, withdrawals: int) -> dict[str, Any]:
        """Engage so often with nothing to withdraw, then so often with open orders."""
        try:
            if engagements or withdrawals:
                first = await BenchPerson(self._settings).sign_in()
                self._people = first, await BenchPerson(self._settings).sign_in()
            for _ in range(engagements):
                number, _ = await self._engage()
                self._lift(number)
            for _ in range(withdrawals):
                await self._withdraw()
        finally:
            for person in self._people or ():
                person.close()
            await self._database.close()
        return {
            "kill_switch_halt": figure("kill_switch_halt", self._halted, self._parts),
            "kill_switch_cancel": figure(
                "kill_switch_cancel", self._withdrawn, {"all_recorded_as_ended": self._recorded}
            )
            | {"open_orders": min(self._resting, default=0)},
        }

    async def _engage(self, resting: int = 0) -> tuple[int, datetime]:
        live = self._market.open_orders() if resting else 0
        begin = datetime.now(UTC)
        number = int(self._api.post("/kill-switch", REASON)["number"])
        answered = datetime.now(UTC)
        recorded, withdrawn = None, None if resting else begin
        while recorded is None or withdrawn is None:
            stamps = await self._acknowledged(number)
            # Seen by looking, so at most one look too late.
            if recorded is None and set(stamps) >= set(self._accounts):
                recorded = datetime.now(UTC)
            if withdrawn is None and self._market.open_orders() <= live - resting:
                withdrawn = datetime.now(UTC)
            if (datetime.now(UTC) - begin).total_seconds() > PATIENCE_SECONDS:
                raise BenchError(f"kill switch {number}: acknowledged by {sorted(stamps)} only")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        decided = max(datetime.fromisoformat(stamp) for stamp in stamps.values())
        self._halted.append(milliseconds(begin, decided))
        self._parts["flag_set_and_answered"].append(milliseconds(begin, answered))
        self._parts["acknowledged_on_record"].append(milliseconds(begin, recorded))
        if resting:
            self._withdrawn.append(milliseconds(begin, withdrawn))
        return number, begin

    async def _acknowledged(self, number: int) -> dict[str, str]:
        found: dict[str, str] = (await self._database.call(_ACKNOWLEDGED, {"number": number}))[0][0]
        return found

    def _lift(self, number: int) -> None:
        assert self._people is not None
        lift(self._people, number, REASON)
        wait_until("the accounts take entries again", self._load.are_free)

    async def _withdraw(self) -> None:
        mine = self._rest_entries()
        wait_until("entries rest", lambda: len(self._entries(mine, "open")) == len(mine))
        number, begin = await self._engage(len(mine))
        wait_until("entries are withdrawn", lambda: len(self._ended(mine)) == len(mine))
        ended = [datetime.fromisoformat(order["ended_at"]) for order in self._ended(mine)]
        self._recorded.append(milliseconds(begin, max(ended)))
        wait_until("their trades are settled", lambda: not self._open_trades(mine))
        self._lift(number)

    def _rest_entries(self) -> set[str]:
        prices = self._load.prices()
        names: set[str] = set()
        for turn in range(OPEN_ORDERS):
            account = self._accounts[turn % len(self._accounts)]
            symbol = PAIRS[turn // len(self._accounts) % len(PAIRS)]
            # In the pair's own digits: rounded to a cent, a cheap coin's limit would be its price.
            limit = (prices[symbol] * LIMIT).quantize(prices[symbol])
            body = {
                "symbol": symbol,
                "order_type": "limit",
                "limit_price": str(limit),
                "quantity": str((WORTH_USD / limit).quantize(Decimal("0.0001"))),
                "stop_price": str(prices[symbol] * STOP),
            }
            try:
                answer = self._api.post(f"/accounts/{account}/trades", body)
            except RefusedError as refusal:
                # A stack that was not started for this keeps its limits: fewer orders rest then.
                if names and refusal.type.endswith("limit-exceeded"):
                    break
                raise
            names.add(answer["client_order_id"])
        self._resting.append(len(names))
        return names

    def _entries(self, names: set[str], status: str | None = None) -> list[dict[str, Any]]:
        return [
            order | {"account": account}
            for account in self._accounts
            for order in self._api.get(f"/accounts/{account}/orders", limit=100)
            if order["client_order_id"] in names and status in (None, order["status"])
        ]

    def _ended(self, names: set[str]) -> list[dict[str, Any]]:
        return [order for order in self._entries(names) if order["ended_at"] is not None]

    def _open_trades(self, names: set[str]) -> bool:
        mine = {(order["account"], order["trade"]) for order in self._entries(names)}
        return any(
            (account, trade["number"]) in mine
            for account in self._accounts
            for trade in self._api.get(f"/accounts/{account}/trades", open=True)
        )
