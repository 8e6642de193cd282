"""The running stack as the script uses it: its API, two people's tokens, and the market's clock."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from infra.runtime.settings import Settings
from tests.day.recording import ASSETS, BAR, Recording
from tests.support.own_stack import OwnStack
from tests.support.stack_people import StackPerson

ACCOUNTS = ("company", "director-1", "director-2")
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.03
AT_REST = 3
"""Steps asked for in vain: before it asks, the market worker waits until everything is at rest."""

NOT_HEARD = ("urn:aether:problem:not-running", "urn:aether:problem:not-answered")

Answer = tuple[int, dict[str, Any]]


class DayError(Exception):
    """The platform did not do in time what the script waits for."""


class Desk:
    """Speaks as the administrator, or as the second person where asked to."""

    def __init__(self, stack: OwnStack, recording: Recording) -> None:
        settings = Settings(home=stack.home, port_base=stack.port_base)
        self.recording = recording
        self.now = recording.bars["BTC"][0]["ts"]
        self.equities: dict[tuple[str, datetime], Decimal] = {}
        self.holdings: dict[tuple[str, datetime], dict[str, Decimal]] = {}
        self.deposits: dict[str, list[tuple[Decimal, Decimal]]] = {}
        self._stack = stack
        self._exchange = httpx.Client(base_url=settings.exchange_url, trust_env=False, timeout=30)
        self._people = {name: StackPerson(stack, f"{name}-person") for name in ("first", "second")}

    def close(self) -> None:
        """Let go of the connections."""
        for person in self._people.values():
            person.close()
        self._exchange.close()

    # --- the API

    def get(self, path: str, **parameters: Any) -> Any:
        """Read something that must be there, or comes: answers are given before rows are seen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, body = self.ask("GET", path, params=parameters)
            if status == httpx.codes.OK:
                return body
            if status != httpx.codes.NOT_FOUND or time.monotonic() > end:
                raise DayError(f"GET {path}: {status} {body}")
            time.sleep(LOOK_SECONDS)

    def ask(self, method: str, path: str, *, who: str = "first", **options: Any) -> Answer:
        """Send a request and return status and body, refusals too.

        Repeated under the same key while the workflow it goes to is only being started.
        """
        headers = {"Idempotency-Key": uuid4().hex}
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._people[who].request(method, path, headers=headers, **options)
            body = answer.json()
            unheard = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not (unheard and body["type"] in NOT_HEARD) or time.monotonic() > end:
                return answer.status_code, body
            time.sleep(LOOK_SECONDS)

    def post(self, path: str, *, who: str = "first", **body: Any) -> Answer:
        """Send a command with a body."""
        return self.ask("POST", path, who=who, json=body)

    def open(self, account: str, asset: str, stop_share: str, **more: Any) -> Answer:
        """Ask for a trade with its stop a share below the price; sized unless told."""
        bid = self.figures(asset)["bid"]
        stop = (bid * (1 - Decimal(stop_share))).quantize(Decimal("0.1"))
        body = {"symbol": f"{asset}/USD", "stop_price": str(stop), **more}
        return self.post(f"/accounts/{account}/trades", **body)

    def opened(self, account: str, asset: str, stop_share: str, **more: Any) -> dict[str, Any]:
        """Open a trade that must be taken, and return it as recorded once it is protected."""
        status, answer = self.open(account, asset, stop_share, **more)
        if status >= httpx.codes.BAD_REQUEST or answer["trade"] is None:
            raise DayError(f"{account} {asset}: {status} {answer}")
        return self.protected(account, answer["trade"])

    def protected(self, account: str, number: int) -> dict[str, Any]:
        """Return a trade as recorded, once it is open and its stop covers all of it."""
        path = f"/accounts/{account}/trades/{number}"

        def stands() -> bool:
            trade = self.get(path)
            whole = Decimal(trade["bought"]) == Decimal(trade["protected_quantity"]) > 0
            return trade["phase"] == "open" and whole

        self.until(stands, f"trade {number} of {account} is protected")
        self.rest()
        found: dict[str, Any] = self.get(path)
        return found

    def figures(self, asset: str) -> dict[str, Decimal]:
        """Return bid, ask and last price as the platform knows them."""
        symbols = self.get("/status")["market"]["symbols"]
        row = next(row for row in symbols if row["symbol"] == f"{asset}/USD")
        return {name: Decimal(row[name]) for name in ("bid", "ask", "last")}

    def halts(self, account: str) -> list[dict[str, Any]]:
        """Return why an account takes no entries."""
        found: list[dict[str, Any]] = self.get(f"/accounts/{account}")["halts"]
        return found

    def audited(self, account: str, action: str) -> list[dict[str, Any]]:
        """Return an account's audit entries of one action, oldest first."""
        found: list[dict[str, Any]] = self.get(f"/audit/{account}", action=action)
        return found[::-1]

    # --- the exchange's own record

    def record(self, account: str) -> dict[str, Any]:
        """Return the exchange's own record of an account."""
        answer = self._exchange.get("/control/record", params={"account": account})
        found: dict[str, Any] = answer.json()
        return found

    def held(self, account: str) -> dict[str, Decimal]:
        """Return what the exchange says that an account has."""
        balances = self.record(account)["balances"]
        return {asset: Decimal(str(one["total"])) for asset, one in balances.items()}

    def equity(self, account: str) -> Decimal:
        """Return what that is worth at the closes of the recorded candles."""
        held = self.held(account)
        cash = held.get("USD", Decimal(0))
        closes = {asset: self.recording.close(asset, self.now) for asset in ASSETS}
        return cash + sum(held.get(asset, Decimal(0)) * close for asset, close in closes.items())

    def value_at(self, account: str, at: datetime) -> Decimal | None:
        """Return what an account was worth where the script stopped, at the exchange's own closes.

        They are the recorded ones but for the account's own purchases, which others see as prints.
        """
        held = self.holdings.get((account, at))
        if held is None:
            return None
        closes = {asset: self._close(asset, at) for asset in ASSETS if held.get(asset)}
        return held["USD"] + sum(held[asset] * close for asset, close in closes.items())

    def _close(self, asset: str, at: datetime) -> Decimal:
        parameters: dict[str, Any] = {"pair": f"{asset}/USD", "interval": 60}
        answer = self._exchange.get("/0/public/OHLC", params=parameters).json()
        rows = next(rows for key, rows in answer["result"].items() if key != "last")
        begun = (at - BAR).timestamp()
        return next(Decimal(str(row[4])) for row in rows if int(row[0]) == begun)

    def verify(self) -> Mapping[str, Any]:
        """Return what `aether verify` finds at this moment."""
        report: Mapping[str, Any] = self._stack.json("verify")
        return report

    # --- the market's clock

    def go_to(self, at: datetime) -> None:
        """Let the market go on to the end of the bar before a moment, and wait until all rests."""
        self._exchange.post("/control/hold", json={"at": at.isoformat()})
        seconds = PATIENCE_SECONDS + (at - self.now).total_seconds() / 60
        self.until(lambda: self._state()["held_steps"] >= AT_REST, f"it is {at}", seconds)
        self.now = at
        closes = {asset: self.recording.close(asset, at) for asset in ASSETS}

        def seen() -> bool:
            return all(
                abs(self.figures(asset)["last"] / close - 1) < Decimal("0.0001")
                for asset, close in closes.items()
            )

        self.until(seen, f"the prices of {at} are known")
        self.equities |= {(account, at): self.equity(account) for account in ACCOUNTS}
        self.holdings |= {(account, at): self.held(account) for account in ACCOUNTS}

    def go_until(self, reached: Callable[[], bool], what: str, latest: datetime) -> None:
        """Go on bar by bar until something is so, at the latest at a moment."""
        while not reached():
            if self.now >= latest:
                raise DayError(f"never, up to {latest}: {what}")
            self.go_to(self.now + BAR)

    def rest(self) -> None:
        """Wait until nothing is under way."""
        self._exchange.post("/control/hold", json={"at": self.now.isoformat()})
        self.until(lambda: self._state()["held_steps"] >= AT_REST, "the platform rests")

    def until(
        self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise DayError(f"waited {seconds:.0f} s in vain until {what}")
            time.sleep(LOOK_SECONDS)

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._exchange.get("/control/state").json()
        return found
