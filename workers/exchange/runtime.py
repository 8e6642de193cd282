"""The running exchange: one writer that journals every input, applies it and tells what happened.

Requests, market steps, timers and scripted prices all pass through here, one at a time, in the
order in which they are journaled. Nothing in here knows HTTP.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.orders import Moment
from models.simulation.errors import VenueError
from models.simulation.events import Event
from models.simulation.public.market import PublicChange, PublicMarket
from models.simulation.steps import MarketStep
from models.simulation.venue import Venue
from models.trading.instruments import InstrumentStatus
from workers.exchange.authentication import Authenticator
from workers.exchange.clock import ProtocolClock
from workers.exchange.control.price_push import price_step
from workers.exchange.errors import ApiError
from workers.exchange.market.choice import Market
from workers.exchange.state.memory import Memory
from workers.exchange.state.step_codec import decode_step, encode_step
from workers.exchange.trading_calls import Answer, Call, execute

Listener = Callable[[Sequence[Event], PublicChange], None]


class Exchange:
    """The exchange of one server process."""

    def __init__(
        self,
        market: Market,
        venue: Venue,
        authenticator: Authenticator,
        clock: ProtocolClock,
        memory: Memory,
    ) -> None:
        self.market = market
        self.venue = venue
        self.public = PublicMarket(market.universe, venue)
        self.clock = clock
        self.authenticator = authenticator
        self.listeners: list[Listener] = []
        self.steps = 0
        self.finished = False
        self.pace: Callable[[], datetime] | None = None
        """What market time it is between two steps; without it, time moves by steps alone."""
        self.token_secret = secrets.token_bytes(32)
        self._memory = memory
        self._switches: dict[str, datetime] = {}
        self._upcoming: MarketStep | None = None
        self._source_state = market.memory.state()

    # --- inputs ------------------------------------------------------------------------------

    def call(self, call: Call, acknowledge: Callable[[Answer], None] | None = None) -> Answer:
        """Execute a command; ``acknowledge`` gets the answer before anybody is told the events.

        Raises:
            VenueError, ApiError: refused in Kraken's words.
        """
        self._pass_time()
        record = ["call", self._now(), call.plane, call.method, call.account, call.parameters]
        answer: Answer = self._input(record, lambda wall: self._call(call, wall, acknowledge))
        return answer

    def peek(self) -> MarketStep | None:
        """Return the next step of the market without applying it; None when it has ended."""
        source = self.market.source
        if self._upcoming is None and not self.finished and source is not None:
            self._source_state = source.state()
            self._upcoming = source.next_step()
            self.finished = self._upcoming is None
        return self._upcoming

    def step(self) -> bool:
        """Apply the next step of the market; False when there is none."""
        step = self.peek()
        if step is not None:
            self._input(["step", self._now()], lambda wall: self._step(step, wall))
        return step is not None

    def warm_up(self, opening: float) -> None:
        """Let a new market move until a market time in unix seconds, before anybody can trade."""
        while (step := self.peek()) is not None and step.at.timestamp() <= opening:
            self._step(step, self.clock.now())

    def take(self, step: MarketStep) -> None:
        """Apply a step of a live market, which nobody can ask for again."""
        record = ["step", self._now(), encode_step(step)]
        self._input(record, lambda wall: self._step(step, wall))

    def push_price(self, symbol: str, price: Decimal) -> None:
        """Let the market of one symbol print at a price, its liquidity moving along."""
        self._pass_time()
        self._input(
            ["price", self._now(), symbol, str(price)],
            lambda wall: self._push_price(symbol, price, wall),
        )

    def set_status(self, status: str, symbol: str | None) -> None:
        """Put the exchange, or one pair, into a mode."""
        self._input(
            ["status", self._now(), status, symbol], lambda _: self._set_status(status, symbol)
        )

    def alter_pair(self, symbol: str, change: dict[str, Any]) -> None:
        """Change what the exchange says of a pair; PairChangeError when it cannot be so."""
        self.venue.check_pair_change(symbol, change)
        self._pass_time()
        self._input(
            ["pair", self._now(), symbol, change], lambda _: self._alter_pair(symbol, change)
        )

    def expire_timers(self) -> None:
        """Fire the dead-man switches that are due."""
        if any(due <= self.clock.now() for due in self._switches.values()):
            self._input(["timers", self._now()], self._expire)

    def set_clock_offset(self, offset: float) -> None:
        """Step the protocol clock to this many seconds from the wall clock."""
        self.clock.offset = offset
        self._memory.append(["clock", self._now(), offset])

    def note_nonce(self, key: str, nonce: int, window: int) -> None:
        """Remember over restarts that a key has used a nonce."""
        self._memory.append(["nonce", self._now(), key, nonce, window])

    def _pass_time(self) -> None:
        """Bring market time up to the pace, as an input of its own: it may expire orders."""
        at = self.venue.market_time if self.pace is None else self.pace()
        if at > self.venue.market_time:
            self._input(["time", self._now(), at.isoformat()], lambda wall: self._pass(at, wall))

    def _now(self) -> str:
        return self.clock.now().isoformat()

    def _input(self, record: list[Any], apply: Callable[[datetime], Any]) -> Any:
        self._memory.append(record)
        started = time.perf_counter()
        try:
            return apply(datetime.fromisoformat(record[1]))
        finally:
            self._memory.worked(time.perf_counter() - started, self.state)

    # --- what inputs do ------------------------------------------------------------------------

    def _call(
        self, call: Call, wall: datetime, acknowledge: Callable[[Answer], None] | None
    ) -> Answer:
        answer = execute(self.venue, call, Moment(self.venue.market_time, wall))
        if answer.dead_man is not None:
            self._switches.pop(call.account, None)
            if answer.dead_man.triggers_at is not None:
                self._switches[call.account] = answer.dead_man.triggers_at
        if acknowledge is not None:
            acknowledge(answer)
        self._tell(answer.events)
        return answer

    def _step(self, step: MarketStep, wall: datetime) -> None:
        self._upcoming = None
        self.steps += 1
        self._tell(self.venue.apply_step(step, wall))

    def _pass(self, at: datetime, wall: datetime) -> None:
        self._tell(self.venue.advance(Moment(at, wall)))

    def _push_price(self, symbol: str, price: Decimal, wall: datetime) -> None:
        step = price_step(self.venue, symbol, price, self.steps)
        self._tell(self.venue.apply_step(step, wall))

    def _set_status(self, status: str, symbol: str | None) -> None:
        if symbol is None:
            self._tell(self.venue.set_system_status(status))
        else:
            self._tell(self.venue.set_pair_status(symbol, InstrumentStatus(status)))

    def _alter_pair(self, symbol: str, change: dict[str, Any]) -> None:
        self._tell(self.venue.alter_pair(symbol, change))

    def _expire(self, wall: datetime) -> None:
        self._switches = {name: due for name, due in self._switches.items() if due > wall}
        self._tell(self.venue.expire_timers(wall))

    def _tell(self, events: Sequence[Event]) -> None:
        if not events:
            return
        change = self.public.apply(events)
        for listener in self.listeners:
            listener(events, change)

    # --- memory --------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return everything that must survive, as JSON-ready values."""
        source = self.market.memory.state() if self._upcoming is None else self._source_state
        return {
            "market": self.market.name,
            "accounts": list(self.venue.accounts),
            "venue": self.venue.state(),
            "source": source,
            "public": self.public.state(),
            "nonces": self.authenticator.nonces.state(),
            "switches": {name: due.isoformat() for name, due in self._switches.items()},
            "clock": self.clock.offset,
            "steps": self.steps,
            "token_secret": self.token_secret.hex(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state of the same market and accounts."""
        self.market.memory.restore(state["source"])
        self.venue.restore(state["venue"])
        self.public.restore(state["public"])
        self.authenticator.nonces.restore(state["nonces"])
        self._switches = {
            name: datetime.fromisoformat(due) for name, due in state["switches"].items()
        }
        self.clock.offset = float(state["clock"])
        self.steps = int(state["steps"])
        self.token_secret = bytes.fromhex(state["token_secret"])

    def repeat(self, record: Sequence[Any]) -> None:
        """Apply a journaled input again; a refusal then is the same refusal now."""
        kind, wall, details = record[0], datetime.fromisoformat(record[1]), record[2:]
        if kind == "call":
            try:
                self._call(Call(*details), wall, None)
            except (VenueError, ApiError):
                return
        elif kind == "step":
            step = decode_step(details[0]) if details else self.peek()
            assert step is not None
            self._step(step, wall)
        elif kind == "time":
            self._pass(datetime.fromisoformat(details[0]), wall)
        elif kind == "price":
            self._push_price(details[0], Decimal(details[1]), wall)
        elif kind == "status":
            self._set_status(*details)
        elif kind == "pair":
            self._alter_pair(*details)
        elif kind == "timers":
            self._expire(wall)
        elif kind == "clock":
            self.clock.offset = float(details[0])
        else:
            self.authenticator.nonces.accept(*details)
