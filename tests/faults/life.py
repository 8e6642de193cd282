"""The life of one trade: opened, protected, moved, ended, while its fault strikes one step."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from activities.accounts.verification import DOUBLED_ORDERS, INVARIANTS, UNKNOWN_ORDERS, UNPROTECTED
from infra.runtime.errors import PlatformError
from tests.faults.catalogue import WITHDRAWN
from tests.faults.exchange import ZERO, Control, ExchangeAwayError, FaultSuiteError, Slice
from tests.faults.judge import Verdict, judge, ledger_difference
from tests.faults.platform import Platform
from tests.faults.recovery import RecoveryWatch
from tests.faults.scripts import Script
from tests.faults.strike import Strike
from tests.faults.watcher import Watched, Watcher, longest

WORTH_USD = Decimal(100)
STOP, MOVED_STOP, BELOW_STOP = Decimal("0.98"), Decimal("0.985"), Decimal("0.97")
TAKE_PROFIT, ABOVE_TAKE_PROFIT = Decimal("1.05"), Decimal("1.06")
LIMIT, BELOW_LIMIT = Decimal("0.997"), Decimal("0.996")
LOOK_SECONDS = 0.05
PRINT_AGAIN_SECONDS = 3.0
STEP_SECONDS = 90.0
"""Ten exits lost in a row, each with the proof that it never came, take forty."""
REST_SECONDS = 3 * STEP_SECONDS
UNSTRUCK_SECONDS = 1.0
WATCH_SECONDS = 0.3
UNPROTECTED_SECONDS = 5.0
BOOKS = tuple(set(INVARIANTS) - {UNPROTECTED, UNKNOWN_ORDERS, DOUBLED_ORDERS})
"""What may still be written down once everything is owned and protected."""
"""How long a position may be without protection, whatever happens."""
PHASE_OF = {
    "entry": "entry",
    "first_fill": "entry",
    "stop": "entry",
    "amend": "amend",
    WITHDRAWN: WITHDRAWN,
}
ENDING = "ending"
LEVELS = {"stop": BELOW_STOP, "take_profit": ABOVE_TAKE_PROFIT}
"""Where the market has to trade for a trade to end, as a share of its first price."""


@dataclass
class Outcome:
    """What became of one trade; seconds are None where nothing was to be measured.

    Attributes:
        recovery: from the last hit of the fault until the trade is owned and protected again: the
            process that runs it says that it is ready, all that the exchange holds for it is
            covered, and no order is doubled or unknown. Books may still be written.
        resolution: until the step that was struck has come to its goal and nothing is left at all.
            What was lost on its way there needs the exchange's settle window for its proof.
    """

    script: Script
    number: int | None = None
    verdict: Verdict = field(default_factory=Verdict)
    struck: bool = False
    recovery: float | None = None
    resolution: float | None = None
    unprotected: float = 0.0
    unprotected_in_all: float = 0.0
    said: list[str] = field(default_factory=list)
    exit_reason: str | None = None
    hits: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Tell whether an invariant was broken."""
        return not self.verdict.clean


class Life:
    """Plays one script."""

    def __init__(
        self,
        script: Script,
        strike: Strike,
        meeting: threading.Barrier,
        rest: threading.Barrier,
        tools: "Tools",
        price: Decimal,
    ) -> None:
        self._script = script
        self._strike = strike
        self._meeting = meeting
        self._rest = rest
        self._platform = tools.platform
        self._control = tools.control
        self._watcher = tools.watcher
        self._price = price
        self._outcome = Outcome(script)
        self._pushing: Decimal | None = None
        self._amend_refused = False
        self._refused_before = 0
        self._before = self._control.order_ids(script.account)
        minimum = self._control.minimums[script.symbol]
        self._watched = Watched(script.account, script.symbol, minimum, self._before)
        step = Decimal(1).scaleb(-min(self._control.decimals[script.symbol], 6))
        self._quantity = max((WORTH_USD / price).quantize(step), 2 * minimum)

    def play(self) -> Outcome:
        """Play it to its end and judge it."""
        self._watcher.watch(self._watched)
        try:
            if self._script.step == WITHDRAWN:
                self._withdraw()
                self._step(WITHDRAWN, lambda: None, self._is_rescued)
            else:
                self._step("entry", self._open, self._is_protected_or_over)
            if self._script.amends and not self._is_over():
                self._step("amend", self._amend, self._is_amended)
            if not self._is_over():
                self._step(ENDING, self._end, self._is_over)
        except (FaultSuiteError, ExchangeAwayError) as error:
            self._outcome.verdict.words.append(f"stuck: {error}")
            # What the fault did is noted; without it the trade may come to rest and be judged.
            self._strike.lift()
        finally:
            self._meeting.abort()
            self._watcher.forget(self._watched)
        # Both sides are compared when no trade of the account is under way any more.
        with suppress(threading.BrokenBarrierError):
            self._rest.wait(REST_SECONDS)
        self._judge()
        return self._outcome

    # --- steps

    def _step(self, phase: str, act: Callable[[], None], goal: Callable[[], bool]) -> None:
        strikes = PHASE_OF.get(self._script.step, ENDING) == phase
        if phase == ENDING and self._script.ending == "take_profit":
            self._await(self._is_watched, "the take-profit is watched")
            time.sleep(WATCH_SECONDS)
        if strikes:
            self._act_struck(phase, act, goal)
        else:
            act()
            self._await(goal, f"the goal of {phase}")
        self._pushing = None
        self._control.print_at(self._script.symbol, self._price)

    def _act_struck(self, phase: str, act: Callable[[], None], goal: Callable[[], bool]) -> None:
        """Take the step under its fault, and measure how long recovery and resolution take."""
        self._meet()
        watch = RecoveryWatch(lambda: self._strike.ended, self._is_recovered)
        try:
            act()
            self._await(goal, f"the goal of {phase}")
            resolved_at = self._await_resolution(phase)
        finally:
            recovered_at = watch.close()
        if self._strike.ended is not None:
            self._outcome.resolution = max(0.0, resolved_at - self._strike.ended)
            recovered_at = resolved_at if recovered_at is None else min(resolved_at, recovered_at)
            self._outcome.recovery = max(0.0, recovered_at - self._strike.ended)

    def _is_recovered(self) -> bool:
        """Tell whether the trade is owned and protected."""
        owned = not self._script.kills or self._platform.is_owned()
        return owned and self._agrees(but=BOOKS)

    def _meet(self) -> None:
        """Begin the fault; where it strikes everybody, when everybody has come so far."""
        try:
            arrived = self._meeting.wait(STEP_SECONDS) == 0
        except threading.BrokenBarrierError:
            arrived = True
        if arrived:
            self._strike.begin()
        while self._strike.began is None:
            time.sleep(0.001)

    def _await_resolution(self, phase: str) -> float:
        end = time.monotonic() + UNSTRUCK_SECONDS
        while not self._strike.struck and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        self._await(self._agrees, f"both sides agree after {phase}")
        return time.monotonic()

    def _agrees(self, but: tuple[str, ...] = ()) -> bool:
        if self._strike.ended is not None and time.monotonic() < self._strike.ended:
            return False
        try:
            found = self._platform.differences(self._script.account)
        except (PlatformError, OSError):
            return False
        return all(one.invariant in but for one in found)

    def _open(self) -> None:
        script, price = self._script, self._price
        body = {
            "symbol": script.symbol,
            "order_type": script.order_type,
            "quantity": f"{self._quantity:f}",
            "stop_price": self._control.on_tick(script.symbol, price * STOP),
            "protection": script.protection,
        }
        if script.order_type == "limit":
            body["limit_price"] = self._control.on_tick(script.symbol, price * LIMIT)
        if script.ending == "take_profit":
            body["take_profit_price"] = self._control.on_tick(script.symbol, price * TAKE_PROFIT)
        answer = self._platform.repeat("POST", f"/accounts/{script.account}/trades", body)
        self._outcome.number = answer["body"].get("trade")
        self._note("open", answer)

    def _withdraw(self) -> None:
        """Open with a limit that is not reached, and take the entry back."""
        self._open()
        self._await(lambda: bool(self._found().live) or self._is_over(), "the entry rests")
        self._note("withdraw", self._platform.repeat("POST", f"{self._path}/close"))
        self._await(lambda: self._is_over() and not self._found().live, "the entry is withdrawn")

    def _amend(self) -> None:
        body = {"stop_price": self._control.on_tick(self._script.symbol, self._price * MOVED_STOP)}
        answer = self._platform.repeat("PATCH", f"{self._path}/stop", body)
        self._refused_before = len(self._row().get("refusals", ()))
        self._amend_refused = answer["status"] >= 400
        self._note("move the stop", answer)

    def _end(self) -> None:
        if self._script.ending == "close":
            self._note("close", self._platform.repeat("POST", f"{self._path}/close"))
        else:
            self._pushing = LEVELS[self._script.ending]

    def _note(self, what: str, answer: dict[str, Any]) -> None:
        body = answer["body"]
        if answer["status"] >= 400:
            self._outcome.said.append(f"{what}: {body.get('type')}: {body.get('detail')}")

    # --- goals

    def _await(self, goal: Callable[[], bool], what: str) -> None:
        end, pushed = time.monotonic() + STEP_SECONDS, 0.0
        while True:
            level = self._pushing
            if level is not None and time.monotonic() - pushed > PRINT_AGAIN_SECONDS:
                self._control.print_at(self._script.symbol, self._price * level)
                pushed = time.monotonic()
            try:
                if goal():
                    return
            except ExchangeAwayError:
                pass
            if self._strike.failure:
                raise FaultSuiteError(self._strike.failure)
            if time.monotonic() > end:
                raise FaultSuiteError(f"waited {STEP_SECONDS:.0f} s in vain until {what}")
            time.sleep(LOOK_SECONDS)

    def _found(self) -> Slice:
        return self._control.slice(self._script.account, self._script.symbol, self._before)

    def _row(self) -> dict[str, Any]:
        if self._outcome.number is None:
            return {"phase": "settled"}
        return self._platform.trade(self._script.account, self._outcome.number)

    def _is_over(self) -> bool:
        return self._row().get("phase") == "settled"

    def _is_protected_or_over(self) -> bool:
        if self._script.order_type == "limit":
            self._pushing = BELOW_LIMIT
        found = self._found()
        waits = found.bought == ZERO or found.held - found.covered >= self._watched.minimum
        row = self._row()
        if row.get("phase") == "settled" or not (waits or row.get("phase") != "open"):
            self._pushing = None
            return True
        return False

    def _is_rescued(self) -> bool:
        """Tell whether what a withdrawn entry bought is protected or sold, and booked."""
        found, row = self._found(), self._row()
        if found.bought == ZERO or Decimal(row.get("bought", "0")) != found.bought:
            return False
        covered = found.held - found.covered < self._watched.minimum
        return covered and (row.get("phase") == "open" or found.held < self._watched.minimum)

    def _is_amended(self) -> bool:
        if self._amend_refused or self._is_over():
            return True
        wanted = Decimal(self._control.on_tick(self._script.symbol, self._price * MOVED_STOP))
        triggers = [Decimal(o["trigger_price"]) for o in self._found().live if o["trigger_price"]]
        refused = len(self._row().get("refusals", ())) > self._refused_before
        return refused or (bool(triggers) and min(triggers) >= wanted)

    def _is_watched(self) -> bool:
        watches = self._platform.get(f"/accounts/{self._script.account}/watches")
        watched = any(watch["trade"] == self._outcome.number for watch in watches)
        return watched or self._is_over()

    @property
    def _path(self) -> str:
        return f"/accounts/{self._script.account}/trades/{self._outcome.number}"

    # --- judgement

    def _judge(self) -> None:
        outcome, verdict = self._outcome, self._outcome.verdict
        self._strike.finish()
        outcome.struck, outcome.hits = self._strike.struck, self._strike.hits
        outcome.unprotected = longest(self._watched.spans, self._strike.outage)
        outcome.unprotected_in_all = longest(self._watched.spans, [])
        stuck = list(verdict.words)
        try:
            self._await(self._agrees, "both sides agree at rest")
        except FaultSuiteError as error:
            stuck.append(f"stuck: {error}")
            differences = self._platform.differences(self._script.account)
            stuck += [f"{one.invariant} {one.subject}: {one.detail}" for one in differences]
        row = None if outcome.number is None else self._row()
        outcome.exit_reason = None if row is None else row.get("exit_reason")
        outcome.verdict = judge(self._found(), self._quantity, self._watched.minimum, row)
        ours = self._platform.get(f"/accounts/{self._script.account}")["balances"]
        difference = ledger_difference(self._control.record(self._script.account), ours)
        outcome.verdict.ledger_difference = difference
        if difference:
            outcome.verdict.words.append(f"balances differ by {difference}")
        if outcome.unprotected > UNPROTECTED_SECONDS:
            outcome.verdict.words.append(f"unprotected for {outcome.unprotected:.2f} s")
        outcome.verdict.words += stuck


@dataclass(frozen=True)
class Tools:
    """What every life uses."""

    platform: Platform
    control: Control
    watcher: Watcher
