"""Plays waves of scripts on one stack."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

from cli.commands.platform import verify
from tests.faults.catalogue import FULL_LOGS
from tests.faults.exchange import Control
from tests.faults.life import Life, Outcome, Tools
from tests.faults.log_disk import LogDisk, log_disk
from tests.faults.outages import GAP, Outage, OutageReport
from tests.faults.platform import ALL, Platform, until
from tests.faults.scripts import LANES, MOST_ROWS, PAIRS, Script
from tests.faults.strike import Strike
from tests.faults.watcher import Watcher
from tests.support.own_stack import OwnStack, own_home, stack_in

VERIFY_GRACE_SECONDS = 20.0
BAR_MINUTES = "1440"
"""The generated market then stands still but for what is printed, and no bar closes during a run,
so that no strategy trades beside the scripts."""

BREATHLESS = {"trading", "exchange", "temporal", "postgres", ALL}
CUTTING = ("refuse_connections", "socket_drop")
"""A stream that is still cut by the fault before is another fault than the one to be played."""
BREATH_SECONDS = 4.0
"""Pause after a kill of one of these. Whoever takes over asks the exchange for everything, which
takes much of what Kraken's counter of reads allows; killed every few seconds, nobody could ask any
more."""

Tell = Callable[[Outcome], None]


class Runner:
    """Plays on one running stack; ``kills`` counts the processes that it killed."""

    def __init__(self, stack: OwnStack, disk: LogDisk) -> None:
        platform = Platform(stack, disk)
        control = Control(platform.settings.exchange_url)
        self._tools = Tools(platform, control, Watcher(control))
        self._threads = ThreadPoolExecutor(LANES * MOST_ROWS)
        self._symbols = {symbol: threading.Lock() for symbol in PAIRS}
        self.kills = 0
        platform.await_entries()
        platform.raise_limits()

    def play(self, wave: Sequence[Script]) -> list[Outcome]:
        """Play the scripts of a wave side by side and return what became of them."""
        platform, control = self._tools.platform, self._tools.control
        platform.await_entries()
        platform.await_room_to_read()
        if any(rule.kind in CUTTING for script in wave for rule in script.rules):
            platform.await_streams()
        prices = self._prices()
        strikes = self._strikes(wave)
        together = len({id(strike) for strike in strikes}) == 1
        shared, rest = threading.Barrier(len(wave)), threading.Barrier(len(wave))
        lives = [
            Life(
                script,
                strike,
                shared if together else threading.Barrier(1),
                rest,
                self._tools,
                prices[script.symbol],
            )
            for script, strike in zip(wave, strikes, strict=True)
        ]
        outcomes = list(self._threads.map(Life.play, lives))
        self.kills += sum(strike.kills for strike in {id(s): s for s in strikes}.values())
        control.lift_faults()
        until(platform.is_ready, "every process is ready again")
        if BREATHLESS & set(wave[0].kills):
            time.sleep(BREATH_SECONDS)
        return outcomes

    def play_apart(self, waves: Sequence[Sequence[Script]]) -> list[Outcome]:
        """Play waves whose faults strike one trade each: no account waits for the others."""
        self._tools.platform.await_entries()
        # The last wave may leave a lane out.
        lanes = [[wave[lane] for wave in waves if lane < len(wave)] for lane in range(LANES)]
        played = self._threads.map(lambda lane: [self._play_alone(one) for one in lane], lanes)
        outcomes = [outcome for lane in played for outcome in lane]
        self._tools.control.lift_faults()
        until(self._tools.platform.is_ready, "every process is ready again")
        return outcomes

    def _play_alone(self, script: Script) -> Outcome:
        platform, control = self._tools.platform, self._tools.control
        platform.await_room_to_read([script.account])
        # Prices are everybody's: while one trade has its stop crossed nobody else is in that pair.
        with self._symbols[script.symbol]:
            platform.await_entries([script.account])
            strike = Strike(script, control, platform)
            price = self._prices()[script.symbol]
            own, rest = threading.Barrier(1), threading.Barrier(1)
            outcome = Life(script, strike, own, rest, self._tools, price).play()
            strike.lift()
            return outcome

    def play_outage(self, kind: str, seconds: float) -> OutageReport:
        """Let the exchange be away for so long and return what became of the trades."""
        self._tools.platform.await_room_to_read()
        report = Outage(kind, seconds, self._tools).play()
        self.kills += kind == GAP
        until(self._tools.platform.is_ready, "every process is ready again")
        return report

    @property
    def not_played(self) -> dict[str, str]:
        """Return the kinds of faults that cannot be played here, each with its reason."""
        lacking = self._tools.platform.log_disk.lacking
        return {FULL_LOGS: lacking} if lacking else {}

    def verify(self) -> list[str]:
        """Return what `aether verify` finds in the end."""
        report = asyncio.run(verify.run(self._tools.platform.settings, VERIFY_GRACE_SECONDS))
        return [f"{f['account']} {f['subject']}: {f['detail']}" for f in report["findings"]]

    def close(self) -> None:
        """Stop watching."""
        self._tools.watcher.close()
        self._threads.shutdown()
        self._tools.control.close()
        self._tools.platform.close()

    def _prices(self) -> dict[str, Decimal]:
        return self._tools.platform.prices()

    def _strikes(self, wave: Sequence[Script]) -> list[Strike]:
        platform, control = self._tools.platform, self._tools.control
        first = wave[0]
        same = all(
            (s.kind, s.step, s.rules, s.clock, s.kills)
            == (first.kind, first.step, first.rules, first.clock, first.kills)
            for s in wave
        )
        if same and len(wave) > 1:
            return [Strike(first, control, platform)] * len(wave)
        return [Strike(script, control, platform) for script in wave]


@contextmanager
def running(port_base: int, home: Path | None) -> Iterator[Runner]:
    """Bring up a stack and give its runner; state and logs stay where ``home`` was said."""
    environment = {"MARKET": "generated", "SPEED": "1", "AETHER_BAR_MINUTES": BAR_MINUTES}
    with (
        nullcontext(home) if home else own_home() as place,
        log_disk(place) as disk,
        stack_in(place, port_base, **environment) as stack,
    ):
        runner = Runner(stack, disk)
        try:
            yield runner
        finally:
            runner.close()
