"""Kill processes of a whole stack in mid-trade and measure how long it takes to be whole again.

``python -m tests.e2e.kills --rounds N`` brings a stack up, kills each process N times at each
moment of a trade, and prints a table. Whether positions are protected is judged by the exchange's
own record: what is held against the stops that rest.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
import psutil

from cli.client import bearer_token
from cli.commands.platform import verify
from infra.runtime.errors import NotRunningError
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack
from tests.support.own_stack import OwnStack, own_stack

ACCOUNTS = ("company", "director-1", "director-2")
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
REQUEST, FILL, EXIT = "right after the request", "after the first fill", "during the exit"
MOMENTS = (REQUEST, FILL, EXIT)
ALL = "all"
TARGETS = (
    "trading", "trading-standby", "market", "api", "temporal", "postgres", "exchange",
    "fork-server", "supervisor", "keeper", ALL,
)  # fmt: skip
CLOSING_TYPES = ("stop-loss", "stop-loss-limit", "trailing-stop", "trailing-stop-limit", "market")
WORTH_USD = Decimal(300)
STOP = Decimal("0.95")
LOOK_SECONDS = 0.05
STEADY_LOOKS = 4
"""Looks in a row that must find everything protected: one may fall between two moves."""
PATIENCE_SECONDS = 60.0
LATEST_MOMENT_SECONDS = 0.04
RESULT = Path("build") / "kills.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds after a kill. ``up`` is how long ``aether up`` took where everything was killed.

    Attributes:
        protected: until the exchange's record shows a stop for everything held.
        answered: until the request under way, repeated under its key, had its answer.
        clean: until ``aether verify`` found nothing.
        ready: until every process said that it was ready.
        findings: what ``aether verify`` still found in the end.
        resolved_last: what it found in the last look that was not clean.
    """

    target: str
    moment: str
    protected: float
    answered: float
    clean: float
    ready: float
    up: float
    findings: tuple[str, ...]
    resolved_last: tuple[str, ...]
    outcome: str


class Killer:
    """Trades on one stack and kills its processes."""

    def __init__(self, stack: OwnStack, seed: int = 1) -> None:
        self._stack = stack
        self.settings = Settings(home=stack.home, port_base=stack.port_base)
        self._supervisor = Stack(self.settings).supervisor
        self._random = random.Random(seed)
        self._threads = ThreadPoolExecutor(8)
        self._turn = 0
        self._opened: set[tuple[str, int]] = set()
        self._fills_before: dict[str, int] = {}
        self._last_prices: dict[str, Decimal] = {}
        # One client for everything: each of its own costs more than what it asks for, and who
        # watches must not take the cores from what is watched.
        self._http = httpx.Client(timeout=10)
        self._exchange = httpx.Client(base_url=self.settings.exchange_url, timeout=5)
        self._minimums: dict[str, Decimal] = {}
        self._token = bearer_token(self.settings)

    # --- trading

    def await_entries(self) -> None:
        """Wait until every account takes entries and every pair has a price."""

        def ready() -> bool:
            halted = any(account["halts"] for account in self._get("/accounts"))
            return not halted and set(PAIRS) <= self._prices().keys()

        _until(ready, "the accounts take entries")

    def open(self, account: str, symbol: str, protection: str, key: str) -> dict[str, Any]:
        """Open a trade; repeated under its key until there is a definite answer."""
        price = self._last_prices[symbol]
        body = {
            "symbol": symbol,
            "quantity": str((WORTH_USD / price).quantize(Decimal("0.0001"))),
            "stop_price": str((price * STOP).quantize(Decimal("0.01"))),
            "protection": protection,
        }
        answer = self._repeat("POST", f"/accounts/{account}/trades", key, body)
        if answer["trade"] is not None:
            self._opened.add((account, answer["trade"]))
        return answer

    def close(self, account: str, trade: int, key: str) -> dict[str, Any]:
        """Close a trade; repeated under its key until there is a definite answer."""
        return self._repeat("POST", f"/accounts/{account}/trades/{trade}/close", key, None)

    def close_opened(self) -> None:
        """Close what this opened and wait until it is settled; strategies go on trading."""
        for account, trade in sorted(self._opened):
            self.close(account, trade, uuid4().hex)

        def settled() -> bool:
            still = {(a, t["number"]) for a in ACCOUNTS for t in self._open_trades(a)}
            return not still & self._opened

        _until(settled, "what was opened is settled")
        self._opened.clear()

    def stop(self) -> None:
        """Release connections and threads."""
        self._threads.shutdown()
        self._exchange.close()
        self._http.close()

    # --- killing

    def kill(self, target: str, moment: str, protection: str = "separate") -> Measure:
        """Kill a process at a moment of a trade's life on every account; watch the recovery."""
        self.await_entries()
        _until(self._has_standby, "a second trading process stands by")
        self._last_prices = self._prices()
        pids = self.processes(target)
        requests = self._requests(moment, protection)
        self._await_moment(moment, requests)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        asked = list(requests.values())
        protected = self._threads.submit(self._await_protection, killed, asked)
        clean = self._threads.submit(self._await_clean, killed, protected)
        ready = self._threads.submit(self._await_ready, killed)
        up = 0.0
        if target == ALL:
            answer = self._stack.aether("up")
            assert answer.returncode == 0, answer.stderr
            up = time.monotonic() - killed
        outcomes = [request.result() for request in requests.values()]
        seconds, findings, last = clean.result()
        return Measure(
            target,
            moment,
            protected.result(),
            max(outcome["at"] for outcome in outcomes) - killed,
            seconds,
            ready.result(),
            up,
            findings,
            last,
            ",".join(sorted({str(outcome["code"]) for outcome in outcomes})),
        )

    def processes(self, target: str) -> list[int]:
        """Return the process ids behind a name; ``trading`` is the one that is active."""
        supervised = {process.name: process.pid for process in self._supervisor.processes()}
        supervised["supervisor"] = self._supervisor.pid or 0
        if target == ALL:
            return [pid for pid in supervised.values() if pid]
        if target.startswith("trading"):
            active = self._active_trading()
            pair = {supervised["trading"], supervised["trading-standby"]}
            return [active] if target == "trading" else list(pair - {active})
        return [supervised[target]]

    def _has_standby(self) -> bool:
        """Tell whether both trading processes have come as far as asking for their lock."""
        lock = str(self._stack.home / "run" / "trading.lock")
        try:
            pids = {*self.processes("trading"), *self.processes("trading-standby")}
        except NotRunningError:
            return False  # the supervisor was killed and its successor does not answer yet
        for pid in pids:
            descriptors = Path(f"/proc/{pid}/fd")
            with suppress(OSError):
                if any(str(one.readlink()) == lock for one in descriptors.iterdir()):
                    continue
            return False
        return True

    def _active_trading(self) -> int:
        port = self.settings.trading_metrics_port
        for connection in psutil.net_connections("tcp4"):
            listens = connection.status == psutil.CONN_LISTEN
            local = connection.laddr
            if listens and local and local.port == port and connection.pid:
                return connection.pid
        raise AssertionError("no trading process is active")

    def _requests(self, moment: str, protection: str) -> dict[str, Future[dict[str, Any]]]:
        self._turn += 1
        symbols = dict(zip(ACCOUNTS, _rotated(PAIRS, self._turn), strict=True))
        if moment != EXIT:
            self._fills_before = {account: self._fills(account) for account in ACCOUNTS}
            return {
                account: self._threads.submit(self.open, account, symbol, protection, uuid4().hex)
                for account, symbol in symbols.items()
            }
        opened = {
            account: self.open(account, symbol, protection, uuid4().hex)
            for account, symbol in symbols.items()
        }
        for answer in opened.values():
            assert answer["trade"] is not None, answer
        self._await_protection(time.monotonic())
        return {
            account: self._threads.submit(self.close, account, answer["trade"], uuid4().hex)
            for account, answer in opened.items()
        }

    def _await_moment(self, moment: str, requests: dict[str, Future[dict[str, Any]]]) -> None:
        if moment == FILL:

            def filled() -> bool:
                return any(self._fills(a) > self._fills_before[a] for a in requests)

            _until(lambda: filled() or all(r.done() for r in requests.values()), "a fill", 0.002)
        else:
            time.sleep(self._random.uniform(0, LATEST_MOMENT_SECONDS))

    # --- watching

    def _await_protection(
        self, since: float, requests: Sequence[Future[dict[str, Any]]] = ()
    ) -> float:
        """Return the seconds until the first of several looks that found nothing unprotected.

        They begin anew until the requests under way are answered: those may still buy.
        """
        looks: list[float] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while len(looks) < STEADY_LOOKS or not all(request.done() for request in requests):
            assert time.monotonic() < until, "positions stay unprotected"
            at = time.monotonic()
            looks = [*looks, at] if self._is_protected() else []
            time.sleep(LOOK_SECONDS)
        return looks[0] - since

    def _is_protected(self) -> bool:
        """Tell whether the exchange holds a closing order for all that it has sold to us."""
        try:
            self._minimums = self._minimums or self._read_minimums()
            return not any(self._uncovered(account) for account in ACCOUNTS)
        except httpx.TransportError:
            return False

    def _uncovered(self, account: str) -> dict[str, Decimal]:
        record = self._exchange.get("/control/record", params={"account": account}).json()
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        for fill in record["fills"]:
            quantity = Decimal(fill["quantity"])
            held[fill["symbol"]] += quantity if fill["side"] == "buy" else -quantity
        for order in record["orders"]:
            closes = order["side"] == "sell" and order["order_type"] in CLOSING_TYPES
            if closes and order["status"] in ("open", "pending"):
                rest = Decimal(order["quantity"]) - Decimal(order["filled_quantity"])
                held[order["symbol"]] -= rest
        return {symbol: rest for symbol, rest in held.items() if rest >= self._minimums[symbol]}

    def _read_minimums(self) -> dict[str, Decimal]:
        pairs = self._exchange.get("/0/public/AssetPairs").json()["result"].values()
        spelt = {"XBT": "BTC", "XDG": "DOGE"}
        found = {}
        for pair in pairs:
            base, quote = pair["wsname"].split("/")
            found[f"{spelt.get(base, base)}/{quote}"] = Decimal(pair["ordermin"])
        return found

    def _await_clean(
        self, since: float, protected: Future[float]
    ) -> tuple[float, tuple[str, ...], tuple[str, ...]]:
        """Return the seconds until nothing is found, what is still found, and what was last.

        It looks once everything is protected: each look takes a good part of a core.
        """
        wait([protected])
        until = time.monotonic() + PATIENCE_SECONDS
        last: tuple[str, ...] = ()
        while True:
            found = self._findings()
            at = time.monotonic()
            if not found or at > until:
                return at - since, found, last
            last = found
            time.sleep(LOOK_SECONDS)

    def _findings(self) -> tuple[str, ...]:
        try:
            report = asyncio.run(verify.run(self.settings, 0))
        except Exception as error:  # noqa: BLE001 - whatever is down is a finding by itself
            return (f"cannot verify: {type(error).__name__}",)
        return tuple(f"{f['invariant']} {f['subject']}: {f['detail']}" for f in report["findings"])

    def _await_ready(self, since: float) -> float:
        names = ("trading_metrics_port", "market_metrics_port", "api_port")
        urls = [f"http://127.0.0.1:{getattr(self.settings, name)}/readyz" for name in names]
        _until(lambda: all(self._answers(url) for url in urls), "every process is ready")
        return time.monotonic() - since

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url, timeout=2).is_success
        except httpx.TransportError:
            return False

    def _fills(self, account: str) -> int:
        return int(self._exchange.get("/control/state").json()["fills"][account])

    # --- the API

    def _prices(self) -> dict[str, Decimal]:
        symbols = self._get("/status")["market"]["symbols"]
        return {row["symbol"]: Decimal(row["last"]) for row in symbols if row["last"]}

    def _open_trades(self, account: str) -> list[dict[str, Any]]:
        trades: list[dict[str, Any]] = self._get(f"/accounts/{account}/trades?open=true")
        return trades

    def _get(self, path: str) -> Any:
        return self._repeat("GET", path, None, None)["body"]

    def _repeat(
        self, method: str, path: str, key: str | None, body: dict[str, Any] | None
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{self.settings.api_url}/api/v1{path}"
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, url, json=body, headers=headers)
                # A refused trade is answered for good, whatever class its reason belongs to.
                if answer.status_code < 500 or '"checks"' in answer.text:
                    break
                failure = answer.text
            except httpx.TransportError as error:
                failure = repr(error)
            assert time.monotonic() < until, f"{method} {path}: {failure}"
            time.sleep(LOOK_SECONDS)
        content = answer.json()
        known = content if isinstance(content, dict) else {}
        code = known.get("code") or known.get("type") or answer.status_code
        trade = known.get("trade")
        return {"code": code, "trade": trade, "body": content, "at": time.monotonic()}


def write(measures: Sequence[Measure]) -> None:
    """Write the figures to ``build/kills.json``."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([asdict(measure) for measure in measures], indent=1))


def table(measures: Iterable[Measure]) -> str:
    """Return the figures by target: median and worst of each."""
    by_target: dict[str, list[Measure]] = {}
    for measure in measures:
        by_target.setdefault(measure.target, []).append(measure)
    lines = [f"{'killed':16} {'n':>3}" + "".join(f"{n:>18}" for n in _FIGURES)]
    for target, rows in by_target.items():
        line = f"{target:16} {len(rows):>3}"
        for name in _FIGURES:
            values = [getattr(row, name) for row in rows]
            line += f"{median(values):>9.2f} {max(values):>7.2f}s"
        lines.append(line)
    return "\n".join(lines)


_FIGURES = ("protected", "answered", "clean", "ready", "up")


def _rotated(values: Sequence[str], by: int) -> list[str]:
    turn = by % len(values)
    return [*values[turn:], *values[:turn]]


def _until(condition: Callable[[], bool], what: str, every: float = LOOK_SECONDS) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(every)


@contextmanager
def _stack(port_base: int, home: Path | None, speed: str) -> Iterator[OwnStack]:
    if home is None:
        with own_stack(port_base, MARKET="generated", SPEED=speed) as stack:
            yield stack
        return
    stack = OwnStack(home, port_base, MARKET="generated", SPEED=speed)
    try:
        up = stack.aether("up")
        assert up.returncode == 0, up.stderr
        yield stack
    finally:
        stack.aether("down")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--port-base", type=int, default=21700)
    options.add_argument("--speed", default="10")
    options.add_argument("--targets", nargs="*", default=list(TARGETS), choices=TARGETS)
    options.add_argument("--moments", nargs="*", default=list(MOMENTS), choices=MOMENTS)
    options.add_argument("--home", type=Path, help="keep the stack's state and logs here")
    given = options.parse_args()
    measures: list[Measure] = []
    with _stack(given.port_base, given.home, given.speed) as stack:
        killer = Killer(stack)
        for _ in range(given.rounds):
            for target in given.targets:
                for moment in given.moments:
                    measure = killer.kill(target, moment)
                    measures.append(measure)
                    sys.stdout.write(json.dumps(asdict(measure)) + "\n")
                    sys.stdout.flush()
                    killer.close_opened()
        killer.stop()
        write(measures)
        sys.stdout.write(table(measures) + "\n")


if __name__ == "__main__":
    main()
