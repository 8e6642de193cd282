"""One fault striking: rules put in force, a clock stepped, processes killed; and when it ended."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from tests.faults.catalogue import COOLING_SECONDS, FULL_LOGS
from tests.faults.exchange import Control, ExchangeAwayError, insist
from tests.faults.platform import ALL, Platform
from tests.faults.scripts import Script

LOOK_SECONDS = 0.03
MOMENT_SECONDS = 15.0
LASTING = ("refuse_connections", "mode")
TOLD_BY_TIME = ("told_late", "lockout")
"""Over when their time is: what strikes in between, and how often, is up to the account."""
AFTER_A_FILL = ("first_fill", "stop", "settlement")
MOMENT_LOOK_SECONDS = 0.003
AT_ONCE = ("clock", "read_lag", "auto_earn", "pair", "fill_after_cancel")


class Strike:
    """The fault of a script, shared by the lives that it strikes.

    Attributes:
        began: when it was put in force, None before that; monotonic seconds, as all of them.
        ended: when it had struck for the last time; None until it has struck.
        kills: how many processes were killed by it.
        hits: how often its rules have struck, by their kind.
    """

    def __init__(self, script: Script, control: Control, platform: Platform) -> None:
        self.script = script
        self.began: float | None = None
        self.ended: float | None = None
        self.kills = 0
        self.hits: Counter[str] = Counter()
        self._control = control
        self._platform = platform
        self._armed: float | None = None
        self._level = 0
        self._numbers: list[int] = []
        self._done = threading.Event()
        self._beginning = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.failure: str | None = None

    @property
    def struck(self) -> bool:
        """Tell whether it has struck at all."""
        return self.ended is not None

    @property
    def outage(self) -> list[tuple[float, float]]:
        """Return when it kept every order from the exchange."""
        if not self.script.outage or self._armed is None:
            return []
        return [(self._armed, self._armed + self._lasts)]

    @property
    def _lasts(self) -> float:
        """Return for how long after it was armed it goes on, by the account's own rules too."""
        cooling = COOLING_SECONDS if self.script.kind == "lockout" else 0.0
        return cooling + max(rule.seconds for rule in self.script.rules)

    def begin(self) -> None:
        """Begin: arm it now that the step begins, or when the step has come to its moment.

        Again: nothing. Where a trade ends before the others come to the step, each begins it.
        """
        with self._beginning:
            if self.began is None:
                self._begin()

    def _begin(self) -> None:
        script = self.script
        self._level = self._fills()
        for target in script.kills:
            self._start(partial(self._kill, target))
        if script.kind == FULL_LOGS:
            self._fill_logs()
        elif not script.kills and self._waits:
            self._start(self._arm_in_time)
        elif not script.kills:
            self._arm()
        self.began = time.monotonic()

    @property
    def _waits(self) -> bool:
        """Tell whether it strikes whatever happens, so that it must wait for its moment."""
        unnamed = all("account" not in r.match and "pair" not in r.match for r in self.script.rules)
        return unnamed and self.script.step in AFTER_A_FILL

    def _fill_logs(self) -> None:
        """Leave the logs no room until the trade has been judged."""
        if self._platform.log_disk.fill():
            self.ended = time.monotonic()

    def _arm_in_time(self) -> None:
        self._await_moment()
        self._arm()

    def _arm(self) -> None:
        script = self.script
        if script.rules:
            self._numbers = insist(lambda: self._control.put_in_force(script.rules))
        self._armed = time.monotonic()
        if script.clock:
            insist(lambda: self._control.set_clock(script.clock))
        self._note_lasting(self._armed)
        if self._numbers and not self.struck:
            self._start(self._count_hits)

    def finish(self) -> None:
        """Stop counting; what has not struck by now has not struck."""
        self._done.set()
        for thread in list(self._threads):
            thread.join()
        self._platform.log_disk.free()

    def lift(self) -> None:
        """Take out of force what may not have struck yet, and nothing of anybody else's."""
        if self.script.strikes_all:
            self._control.lift_faults()
        elif self._numbers:
            insist(lambda: self._control.lift(self._numbers))

    def _note_lasting(self, armed: float) -> None:
        lasting = [rule for rule in self.script.rules if rule.kind in LASTING]
        if self.script.kind in TOLD_BY_TIME:
            self.ended = armed + self._lasts
        elif lasting:
            self.ended = armed + max(rule.seconds for rule in lasting)
        elif self.script.kind in AT_ONCE or any(
            not r.match.keys() - {"plane"} for r in self.script.rules
        ):
            self.ended = armed
        if any(rule.kind == "mode" for rule in lasting):
            self._start(self._end_mode)

    def _end_mode(self) -> None:
        assert self.ended is not None
        self._done.wait(max(0.0, self.ended - time.monotonic()))
        self._control.set_mode("online")
        self.ended = time.monotonic()

    def _count_hits(self) -> None:
        seen = 0
        lasts = max(rule.seconds for rule in self.script.rules)
        while True:
            last_look = self._done.wait(LOOK_SECONDS)
            try:
                hits = self._control.hits()
            except ExchangeAwayError:
                return
            found = zip(self.script.rules, self._numbers, strict=True)
            self.hits = Counter()
            for rule, number in found:
                self.hits[rule.kind] += hits.get(number, 0)
            now = self.hits.total()
            if now > seen and (seen == 0 or self.script.kind != "silence"):
                self.ended = time.monotonic() + lasts
            seen = now
            if last_look:
                return

    def _kill(self, target: str) -> None:
        script = self.script
        try:
            self._await_moment()
            self._done.wait(script.kill_delay)
            self.kills += self._platform.kill(target)
            self.ended = time.monotonic()
            if target == ALL:
                self._platform.start_again()
        except Exception as error:  # noqa: BLE001  # told by the life that waits for it
            self.failure = f"{type(error).__name__}: {error}"

    def _await_moment(self) -> None:
        """Wait until the step has come as far as its name says."""
        if self.script.step not in AFTER_A_FILL:
            return
        end = time.monotonic() + MOMENT_SECONDS
        while self._fills() <= self._level and time.monotonic() < end:
            time.sleep(MOMENT_LOOK_SECONDS)

    def _fills(self) -> int:
        return int(insist(self._control.state)["fills"][self.script.account])

    def _start(self, act: Callable[[], None]) -> None:
        thread = threading.Thread(target=act, daemon=True)
        self._threads.append(thread)
        thread.start()
