"""The exchange away for a long time with open positions, while prices go where they like.

Three ways: the platform is cut off from an exchange that goes on trading, it is cut off from its
private stream alone, and the exchange is killed and comes back at prices beyond the stops. Every
account holds a trade of each fate in a pair of its own. What happened is told by the exchange's
record alone.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from activities.accounts.verification import MISSING_ORDERS, Finding
from infra.runtime.errors import PlatformError
from models.trading.orders import Fill
from tests.faults.catalogue import Rule
from tests.faults.exchange import ExchangeAwayError, FaultSuiteError, insist
from tests.faults.judge import judge, ledger_difference
from tests.faults.life import Tools
from tests.faults.platform import until
from tests.faults.scripts import ACCOUNTS, PAIRS
from tests.faults.watcher import Watched, longest

WORTH_USD = Decimal(100)
STOP, BELOW_STOP = Decimal("0.98"), Decimal("0.97")
TAKE_PROFIT, ABOVE_TAKE_PROFIT = Decimal("1.05"), Decimal("1.06")
LIMIT, BELOW_LIMIT = Decimal("0.99"), Decimal("0.987")
GAP_DOWN, GAP_UP = Decimal("0.90"), Decimal("1.12")
AWAY_SECONDS = 60.0
SETTLING_SECONDS = 60.0
CUT_OFF, DEAF, GAP = "cut_off", "deaf", "gap"
ROUNDING = Decimal("0.000000000001")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a trade while the exchange is away.

    Attributes:
        path: prices at which others trade meanwhile, as shares of the first one.
        limit: whether its entry only rests when the exchange goes away.
        ends: whether it must be over afterwards without anybody asking; None where it may.
    """

    name: str
    path: tuple[Decimal, ...] = ()
    limit: bool = False
    ends: bool | None = False


WHILE_CUT_OFF = (
    Fate("stopped", (BELOW_STOP, Decimal(1)), ends=True),
    Fate("taken", (ABOVE_TAKE_PROFIT,), ends=True),
    Fate("taken_then_stopped", (ABOVE_TAKE_PROFIT, BELOW_STOP), ends=True),
    Fate("entered", (BELOW_LIMIT, Decimal(1)), limit=True),
    Fate("entered_then_stopped", (BELOW_LIMIT, BELOW_STOP), limit=True, ends=True),
    Fate("left_alone"),
)
"""One for each pair."""
AFTER_THE_GAP = (
    Fate("stopped", (GAP_DOWN,), ends=True),
    Fate("stopped_and_back", (GAP_DOWN, Decimal(1)), ends=True),
    Fate("taken", (GAP_UP,), ends=True),
    # Its stop stands above the market when it is bought: it may be sold at once, or rest lower.
    Fate("entered_below_its_stop", (GAP_DOWN,), limit=True, ends=True),
    Fate("entered_and_back", (BELOW_LIMIT, Decimal(1)), limit=True),
    Fate("left_alone"),
)


STORIES: Mapping[str, Sequence[Fate]] = {
    CUT_OFF: WHILE_CUT_OFF,
    DEAF: WHILE_CUT_OFF,
    GAP: AFTER_THE_GAP,
}
LONGEST_PATH = max(len(fate.path) for fates in STORIES.values() for fate in fates)
AT_ONCE_SECONDS = 0.002


@dataclass
class Held:
    """One trade of the story."""

    account: str
    symbol: str
    fate: Fate
    protection: str
    price: Decimal
    quantity: Decimal
    before: frozenset[str]
    watched: Watched
    number: int | None = None


@dataclass
class OutageReport:
    """What came of one outage; ``findings`` is empty where everything agrees.

    Attributes:
        recovery: seconds from its end until both sides agree and everything held is protected.
        longest_unprotected: longest stretch without protection, less the outage itself.
        fills_meanwhile: executions at the exchange while nobody was told of them.
        resolved_last: what the last look found before that.
    """

    kind: str
    seconds: float
    trades: int = 0
    fills_meanwhile: int = 0
    resolved_last: list[str] = field(default_factory=list)
    recovery: float | None = None
    longest_unprotected: float = 0.0
    findings: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


class Outage:
    """Plays one outage on a running stack."""

    def __init__(self, kind: str, seconds: float, tools: Tools) -> None:
        self._fates = STORIES[kind]
        self._platform, self._control = tools.platform, tools.control
        self._watcher = tools.watcher
        self._held: list[Held] = []
        self.report = OutageReport(kind, seconds)

    def play(self) -> OutageReport:
        """Open, go away, come back, compare, close what is left, and compare again."""
        report, began = self.report, time.monotonic()
        try:
            self._platform.await_entries()
            self._platform.await_streams()
            self._open_all()
            fills = self._fills()
            began = time.monotonic()
            self._go_away()
            report.fills_meanwhile = self._fills() - fills
            time.sleep(max(0.0, began + report.seconds - time.monotonic()))
            report.recovery = self._await_recovery(time.monotonic())
            self._await_ends()
            self._compare("after the outage")
            self._close_rest()
            self._compare("at the end")
        except (FaultSuiteError, ExchangeAwayError) as error:
            report.findings.append(f"stuck: {error}")
            report.findings += [_words(found) for found in self._differences()]
            self._give_up()
        finally:
            self._control.lift_faults()
            for one in self._held:
                self._watcher.forget(one.watched)
        # Who is only deaf can still ask, and protect.
        outage = [] if report.kind == DEAF else [(began, began + report.seconds)]
        spans = (longest(one.watched.spans, outage) for one in self._held)
        report.longest_unprotected = round(max(spans, default=0.0), 3)
        return report

    # --- before

    def _open_all(self) -> None:
        prices = self._platform.prices()
        for row, account in enumerate(ACCOUNTS):
            before = self._control.order_ids(account)
            for column, (symbol, fate) in enumerate(zip(PAIRS, self._fates, strict=True)):
                protection = ("attached", "separate")[(row + column) % 2]
                self._held.append(
                    self._plan(account, symbol, fate, protection, prices[symbol], before)
                )
        for one in self._held:
            self._watcher.watch(one.watched)
            self._open(one)
        self.report.trades = len(self._held)
        try:
            until(lambda: all(self._is_set_up(one) for one in self._held), "every trade is set up")
        except FaultSuiteError as error:
            late = [one for one in self._held if not self._is_set_up(one)]
            raise FaultSuiteError(f"{error}: {'; '.join(map(self._standing, late))}") from error

    def _plan(
        self,
        account: str,
        symbol: str,
        fate: Fate,
        protection: str,
        price: Decimal,
        before: frozenset[str],
    ) -> Held:
        minimum = self._control.minimums[symbol]
        step = Decimal(1).scaleb(-min(self._control.decimals[symbol], 6))
        quantity = max((WORTH_USD / price).quantize(step), 2 * minimum)
        watched = Watched(account, symbol, minimum, before)
        return Held(account, symbol, fate, protection, price, quantity, before, watched)

    def _open(self, one: Held) -> None:
        body = {
            "symbol": one.symbol,
            "order_type": "limit" if one.fate.limit else "market",
            "quantity": f"{one.quantity:f}",
            "stop_price": self._control.on_tick(one.symbol, one.price * STOP),
            "take_profit_price": self._control.on_tick(one.symbol, one.price * TAKE_PROFIT),
            "protection": one.protection,
        }
        if one.fate.limit:
            body["limit_price"] = self._control.on_tick(one.symbol, one.price * LIMIT)
        answer = self._platform.repeat("POST", f"/accounts/{one.account}/trades", body)
        one.number = answer["body"].get("trade")
        if one.number is None:
            raise FaultSuiteError(f"{one.account} {one.symbol}: {answer['body']}")

    def _is_set_up(self, one: Held) -> bool:
        found = self._control.slice(one.account, one.symbol, one.before)
        if one.fate.limit:
            return any(order["side"] == "buy" for order in found.live)
        return found.bought == one.quantity and found.covered == one.quantity

    def _standing(self, one: Held) -> str:
        found, row = self._control.slice(one.account, one.symbol, one.before), self._row(one)
        name = f"{one.account} {one.symbol} {one.fate.name} ({one.protection})"
        held = f"{found.bought} of {one.quantity} bought, {found.covered} covered"
        return f"{name}: {row['phase']}, {held}, {row.get('exit_reason')}"

    def _give_up(self) -> None:
        """End what was opened: the next outage counts what is traded in the same pairs."""
        self._control.lift_faults()
        with suppress(FaultSuiteError, ExchangeAwayError):
            opened = [one for one in self._held if one.number is not None]
            for one in opened:
                self._platform.repeat("POST", f"{_path(one)}/close")
            until(
                lambda: all(self._row(one)["phase"] == "settled" for one in opened),
                "everything is settled",
                SETTLING_SECONDS,
            )

    # --- meanwhile

    def _go_away(self) -> None:
        if self.report.kind == GAP:
            self._platform.kill("exchange")
        plane = {"plane": "private"} if self.report.kind == DEAF else {}
        refuse = Rule("refuse_connections", plane, 0, None, {"seconds": self.report.seconds})
        # As the first thing after its return: whoever reconnects finds the prices that gaped.
        insist(
            lambda: self._control.put_in_force([refuse, Rule("socket_drop", plane)]),
            every=AT_ONCE_SECONDS,
        )
        pause = 0.0 if self.report.kind == GAP else self.report.seconds / (LONGEST_PATH + 1)
        for symbol, share in self._moves():
            time.sleep(pause if symbol == PAIRS[0] else 0.0)
            price = next(one.price for one in self._held if one.symbol == symbol)
            self._control.print_at(symbol, price * share)

    def _moves(self) -> Iterator[tuple[str, Decimal]]:
        """Yield the prices to print, pair by pair, one move of every pair after the other."""
        for number in range(LONGEST_PATH):
            for symbol, fate in zip(PAIRS, self._fates, strict=True):
                if fate.path:
                    yield symbol, fate.path[min(number, len(fate.path) - 1)]

    def _fills(self) -> int:
        return sum(insist(self._control.state)["fills"].values())

    # --- afterwards

    def _await_recovery(self, ended: float) -> float:
        def is_whole() -> bool:
            found = [one for one in self._differences() if one.invariant != MISSING_ORDERS]
            words = [_words(one) for one in found]
            words += [] if self._platform.is_ready() else ["a process is not ready"]
            self.report.resolved_last = words or self.report.resolved_last
            return not words

        until(is_whole, "both sides agree and everything is protected", SETTLING_SECONDS)
        return round(time.monotonic() - ended, 3)

    def _await_ends(self) -> None:
        mine = [one for one in self._held if one.fate.ends]
        until(
            lambda: all(self._row(one)["phase"] == "settled" for one in mine),
            "what met its stop or its take-profit is settled",
            SETTLING_SECONDS,
        )
        until(lambda: not self._differences(), "nothing is left to resolve", SETTLING_SECONDS)

    def _close_rest(self) -> None:
        for one in self._held:
            self._platform.repeat("POST", f"{_path(one)}/close")
        until(
            lambda: all(self._row(one)["phase"] == "settled" for one in self._held),
            "everything is settled",
            SETTLING_SECONDS,
        )
        until(lambda: not self._differences(), "both sides agree at rest", SETTLING_SECONDS)
        for one in self._held:
            self._control.print_at(one.symbol, one.price)

    def _differences(self) -> list[Finding]:
        try:
            return [found for name in ACCOUNTS for found in self._platform.differences(name)]
        except (PlatformError, OSError) as error:
            return [Finding("away", "", "", repr(error))]

    def _row(self, one: Held) -> dict[str, Any]:
        assert one.number is not None
        return self._platform.trade(one.account, one.number)

    def _compare(self, when: str) -> None:
        findings = [
            *(words for account in ACCOUNTS for words in self._account_findings(account)),
            *(words for one in self._held for words in self._trade_findings(one)),
        ]
        self.report.findings += [f"{when}: {words}" for words in findings]

    def _account_findings(self, account: str) -> Iterator[str]:
        record = self._control.record(account)
        ours = self._platform.own_fills(account)
        yield from (f"{account}: {words}" for words in fill_findings(record["fills"], ours))
        balances = self._platform.get(f"/accounts/{account}")["balances"]
        if difference := ledger_difference(record, balances):
            yield f"{account}: balances differ by {difference}"

    def _trade_findings(self, one: Held) -> Iterator[str]:
        found = self._control.slice(one.account, one.symbol, one.before)
        row = self._row(one)
        name = f"{one.account} {one.symbol} {one.fate.name} ({one.protection})"
        if row["phase"] == "settled":
            verdict = judge(found, one.quantity, one.watched.minimum, row)
            yield from (f"{name}: {words}" for words in verdict.words)
        elif one.fate.ends:
            yield f"{name}: is {row['phase']}"
        elif found.bought != one.quantity or found.covered != found.held:
            yield f"{name}: {found.bought} bought, {found.held} held, {found.covered} covered"
        yield from (f"{name}: {words}" for words in price_findings(found.fills, row))


def fill_findings(theirs: Sequence[Mapping[str, Any]], ours: Mapping[str, Fill]) -> Iterator[str]:
    """Yield how our executions differ from the exchange's: each once, as it was, when it was."""
    for fill in theirs:
        own = ours.get(fill["execution_id"])
        if own is None:
            yield f"execution {fill['execution_id']} is not booked"
            continue
        said = {name: Decimal(fill[name]) for name in ("quantity", "price", "cost", "fee")}
        for name, value in said.items():
            if getattr(own, name) != value:
                yield f"{name} of {own.execution_id} is {value}, we say {getattr(own, name)}"
        at = own.exchange_time.isoformat()
        if at != fill["exchange_time"]:
            yield f"{own.execution_id} happened at {fill['exchange_time']}, we say {at}"
    for execution in sorted(ours.keys() - {fill["execution_id"] for fill in theirs}):
        yield f"execution {execution} is unknown to the exchange"


def price_findings(fills: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a trade's prices and fees differ from those of its executions."""
    for side, name in (("buy", "average_entry_price"), ("sell", "average_exit_price")):
        mine = [fill for fill in fills if fill["side"] == side]
        quantity = sum((Decimal(fill["quantity"]) for fill in mine), Decimal(0))
        cost = sum((Decimal(fill["cost"]) for fill in mine), Decimal(0))
        said = Decimal(row[name] or 0)
        if quantity and abs(cost / quantity - said) > ROUNDING * said:
            yield f"{name} is {said}, its executions came to {cost / quantity}"
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    if fees != Decimal(row["fees"]):
        yield f"fees are {row['fees']}, its executions cost {fees}"


def _path(one: Held) -> str:
    return f"/accounts/{one.account}/trades/{one.number}"


def _words(found: Finding) -> str:
    return f"{found.account} {found.invariant} {found.subject}: {found.detail}"
