"""Which fault can strike which step of a trade's life, and what it takes for the step to happen."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Match = dict[str, Any]

SILENCE_SECONDS = 4.0
OUTAGE_SECONDS = 3.0
LATE_SECONDS = 1.5
CLOCK_SECONDS = (25.0, -25.0)
SOON = "{soon}"
"""Stands for the moment a little later at which an exchange that is too busy lets requests in."""
SOON_SECONDS = 1.5
TRIES = (1, 2, 3, 10)

PROCESSES = (
    "trading", "trading-standby", "market", "api", "exchange", "postgres", "temporal",
    "fork-server", "supervisor", "all",
)  # fmt: skip

FULL_LOGS = "full_logs"
"""The disk of the log directory is full: not the exchange's doing."""

Needs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the exchange's scripted faults (docs/exchange-simulator.md)."""

    kind: str
    match: Match = field(default_factory=dict)
    skip: int = 0
    count: int | None = 1
    params: dict[str, Any] = field(default_factory=dict)

    def aimed_at(self, account: str, symbol: str) -> "Rule":
        """Return the rule with the account and pair it is for, where it names them."""
        places = {"account": account, "pair": symbol}
        match = {n: places[n] if v == "$" else v for n, v in self.match.items()}
        return Rule(self.kind, match, self.skip, self.count, self.params)

    def body(self) -> dict[str, Any]:
        """Return it as the control endpoint takes it."""
        soon = f"{time.time() + SOON_SECONDS:.3f}"
        params = {n: v.replace(SOON, soon) if n == "error" else v for n, v in self.params.items()}
        known = {"kind": self.kind, "match": self.match, "skip": self.skip, "params": params}
        return known if self.count is None else {**known, "count": self.count}

    @property
    def seconds(self) -> float:
        """Return how long it lasts after it has struck."""
        return float(self.params.get("seconds", 0.0))


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of fault at a step. ``needs`` are the script's values without which it cannot be."""

    kind: str
    step: str
    rules: tuple[Rule, ...] = ()
    needs: Needs = ()
    clock: float = 0.0
    kills: tuple[str, ...] = ()

    @property
    def strikes_all(self) -> bool:
        """Tell whether it strikes every account and not only one trade."""
        return strikes_all(self.kind, self.rules, self.clock)


def strikes_all(kind: str, rules: Sequence[Rule], clock: float) -> bool:
    """Tell whether a fault strikes every account."""
    everybody = ("refuse_connections", "mode", "read_lag")
    named = all("account" in rule.match or "pair" in rule.match for rule in rules)
    shared = bool(clock) or kind == FULL_LOGS
    return shared or not named or any(rule.kind in everybody for rule in rules)


SEPARATE: Needs = (("protection", "separate"),)
ATTACHED: Needs = (("protection", "attached"),)
CLOSED: Needs = (("ending", "close"),)
TAKEN: Needs = (("ending", "take_profit"),)
STOPPED: Needs = (("ending", "stop"),)

KILL_STEPS: dict[str, Needs] = {
    "entry": (),
    "first_fill": (),
    "stop": SEPARATE,
    "amend": (),
    "crossing": TAKEN,
    "stop_crossing": STOPPED,
    "exit": CLOSED,
    "settlement": (),
}
ASKING = ["OpenOrders", "ClosedOrders", "QueryOrders"]

REQUESTS: dict[str, tuple[str, str | None, Needs]] = {
    "entry": ("AddOrder", "entry", ()),
    "stop": ("AddOrder", "stop", SEPARATE),
    "amend": ("AmendOrder", None, ()),
    "exit_cancel": ("CancelOrder", None, CLOSED),
    "exit": ("AddOrder", "exit", CLOSED),
    "crossing": ("AddOrder", "exit", TAKEN),
}
"""The request that a step sends: method, leg, what the script needs."""

MESSAGES: dict[str, tuple[Match, Needs]] = {
    "entry": ({"exec_type": ["pending_new", "new"], "leg": "entry"}, ()),
    "first_fill": ({"exec_type": ["trade", "filled"], "leg": "entry"}, ()),
    "stop": ({"exec_type": ["pending_new", "new"], "leg": "stop"}, ()),
    "amend": ({"exec_type": "amended"}, ()),
    "crossing": ({"exec_type": "trade", "leg": "stop"}, STOPPED),
    "exit_cancel": ({"exec_type": "canceled", "leg": "stop"}, CLOSED),
    "exit": ({"exec_type": "trade", "leg": "exit"}, CLOSED),
    "settlement": ({"exec_type": "filled", "leg": ["stop", "exit"]}, ()),
}
"""The message of the executions channel that a step causes."""

UNKNOWN_OUTCOMES = (
    "EService:Busy", "EService:Unavailable", "EGeneral:Internal error", "EService:Deadline elapsed",
)  # fmt: skip
NEVER_EXECUTED = (
    "EAPI:Invalid nonce", "EAPI:Rate limit exceeded", "EGeneral:Too many requests",
    f"EService: Throttled: {SOON}", "EOrder:Rate limit exceeded",
    "EOrder:Domain rate limit exceeded",
)  # fmt: skip
REFUSALS = (
    "EOrder:Insufficient funds", "EOrder:Orders limit exceeded", "EOrder:Order minimum not met",
    "EOrder:Cost minimum not met", "EOrder:Invalid price", "EOrder:Tick size check failed",
    "EService:Market in cancel_only mode", "EGeneral:Invalid arguments:volume",
)  # fmt: skip
PAIR_CHANGES: tuple[dict[str, Any], ...] = (
    {"tick_times": 10}, {"tick_times": 0.1}, {"ordermin_times": 1.5}, {"rename": True},
)  # fmt: skip
"""A coarser and a finer tick, a minimum that what is held still reaches, other REST names."""
GONE = ("EOrder:Unknown order", "EOrder:Invalid order")


def _request_cases() -> Iterator[Case]:
    for step, (method, leg, needs) in REQUESTS.items():
        match: Match = {"method": method, "account": "$"}
        if leg is not None:
            match["leg"] = leg
        for rules in (*_lost(match), *_slow_or_broken(match), *_errors(method, match)):
            yield Case(rules[0].kind, step, rules, needs)


def _lost(match: Match) -> Iterator[tuple[Rule, ...]]:
    """Yield answers lost at so many tries in a row; asking what became of it is lost as well."""
    asked: Match = {"method": ASKING, "account": "$"}
    for kind in ("lost_before", "lost_after"):
        for tries in TRIES:
            more = (Rule(kind, asked, 0, tries - 1),) if tries > 1 else ()
            yield Rule(kind, match, 0, tries), *more


def _slow_or_broken(match: Match) -> Iterator[tuple[Rule, ...]]:
    for when in ("before", "after"):
        yield (Rule("delay", match, params={"seconds": LATE_SECONDS, "when": when}),)
        for status in (502, 520):
            yield (Rule("http_status", match, 0, 2, {"status": status, "when": when}),)
    yield (Rule("http_status", match, 0, 2, {"status": 429}),)
    yield (Rule("rate_limit", match, 0, 3),)


def _errors(method: str, match: Match) -> Iterator[tuple[Rule, ...]]:
    for error in UNKNOWN_OUTCOMES:
        for when in ("before", "after"):
            yield (Rule("error", match, 0, 2, {"error": error, "when": when}),)
    refusals = REFUSALS if method == "AddOrder" else REFUSALS[4:7]
    for error in (*NEVER_EXECUTED, *refusals):
        yield (Rule("error", match, 0, 1, {"error": error}),)
    if method != "AddOrder":
        for error in GONE:
            yield (Rule("error", match, 0, 1, {"error": error, "when": "after"}),)


def _message_cases() -> Iterator[Case]:
    late = {"seconds": LATE_SECONDS}
    for step, (shape, needs) in MESSAGES.items():
        match: Match = {"channel": "executions", "account": "$", **shape}
        for kind in ("socket_drop", "drop_message", "duplicate_message", "reorder_message"):
            yield Case(kind, step, (Rule(kind, match),), needs)
            if kind != "socket_drop":
                yield Case(kind, step, (Rule(kind, match, 0, 3),), needs)
        yield Case("delay_message", step, (Rule("delay_message", match, params=late),), needs)
        silence = {"channel": "executions", "account": "$"}
        long = {"seconds": SILENCE_SECONDS}
        yield Case("silence", step, (Rule("silence", silence, 0, None, long),), needs)


def _market_cases() -> Iterator[Case]:
    for step in ("entry", "crossing"):
        for kind, channel in (
            ("bad_checksum", "book"),
            ("drop_message", "ticker"),
            ("drop_message", "trade"),
            ("drop_message", "book"),
            ("socket_drop", "book"),
            ("socket_drop", "trade"),
        ):
            rule = Rule(kind, {"channel": channel, "pair": "$"}, 0, 2)
            yield Case(f"public_{kind}", step, (rule,), TAKEN)


def _everybody_cases() -> Iterator[Case]:
    short = {"seconds": OUTAGE_SECONDS}
    for step in ("entry", "stop", "amend", "crossing", "exit"):
        needs = {"crossing": TAKEN, "exit": CLOSED, "stop": SEPARATE}.get(step, ())
        for plane in ("rest", "private", "public"):
            rule = Rule("refuse_connections", {"plane": plane}, 0, None, short)
            # A connection that stands is not touched by the refusal of new ones.
            cut = () if plane == "rest" else (Rule("socket_drop", {"plane": plane}),)
            yield Case("refuse_connections", step, (rule, *cut), needs)
        planes = (Rule("refuse_connections", {}, 0, None, short), Rule("socket_drop", {}))
        yield Case("refuse_connections", step, planes, needs)
        for status in ("maintenance", "cancel_only", "post_only", "limit_only"):
            mode = Rule("mode", {}, 0, None, {"status": status, **short})
            yield Case("mode", step, (mode,), needs)
        lag = Rule("read_lag", {}, 0, None, {"seconds": LATE_SECONDS})
        yield Case("read_lag", step, (lag,), needs)
        for seconds in CLOCK_SECONDS:
            yield Case("clock", step, (), needs, clock=seconds)
        yield Case("socket_drop", step, (Rule("socket_drop", {"plane": "private"}),), needs)


def _wallet_cases() -> Iterator[Case]:
    """Yield the exchange moving the coins of a position to where they earn by themselves."""
    for step, needs in (("amend", ()), ("crossing", TAKEN), ("exit", CLOSED)):
        yield Case("auto_earn", step, (Rule("auto_earn", {"account": "$"}),), needs)


def _pair_cases() -> Iterator[Case]:
    """Yield changes of the trade's own pair, as Kraken makes them without notice."""
    for step in ("entry", "stop", "amend", "crossing", "exit"):
        needs = {"crossing": TAKEN, "exit": CLOSED, "stop": SEPARATE}.get(step, ())
        for change in PAIR_CHANGES:
            yield Case("pair", step, (Rule("pair", {"pair": "$"}, params=dict(change)),), needs)


REFUSED_AGAIN = (("EOrder:Orders limit exceeded", 4), ("EOrder:Insufficient funds", 2))
"""Words of a passing and of a lasting refusal, and how often an exit meets them in a row."""


def _refused_cases() -> Iterator[Case]:
    """Yield exits refused as often as a pause comes before the next try, and once more."""
    for step in ("exit", "crossing"):
        method, leg, needs = REQUESTS[step]
        match = {"method": method, "account": "$", "leg": leg}
        for words, times in REFUSED_AGAIN:
            yield Case("error", step, (Rule("error", match, 0, times, {"error": words}),), needs)


def _log_cases() -> Iterator[Case]:
    for step in ("entry", "stop", "amend", "crossing", "exit", "settlement"):
        yield Case(FULL_LOGS, step, needs=KILL_STEPS[step])
    # Whoever takes over, and whoever starts again, cannot write a line either.
    for process in ("trading", "exchange", "supervisor"):
        yield Case(FULL_LOGS, "first_fill", kills=(process,))


LAG_SECONDS = 8.0
"""How far the reads are behind while an answer is lost and the private stream is cut."""


def _absence_cases() -> Iterator[Case]:
    """Yield lost answers met by lagging reads and a cut stream, in every combination."""
    cut_seconds = {"seconds": OUTAGE_SECONDS}
    lag = Rule("read_lag", {}, 0, None, {"seconds": LAG_SECONDS})
    cut = (
        Rule("refuse_connections", {"plane": "private"}, 0, None, cut_seconds),
        Rule("socket_drop", {"plane": "private"}),
    )
    for step in ("entry", "stop", "exit"):
        method, leg, needs = REQUESTS[step]
        for kind in ("lost_before", "lost_after"):
            lost = Rule(kind, {"method": method, "account": "$", "leg": leg})
            for more in ((lag,), cut, (lag, *cut)):
                yield Case("absence", step, (lost, *more), needs)


LOCKOUT_SECONDS = 4.0
COOLING_SECONDS = 31.0
"""For so long the key is left alone after a lockout: nobody tells when it is over."""


def _lockout_cases() -> Iterator[Case]:
    """Yield the account's key locked out for a while, as Kraken does after too many failures."""
    rule = Rule("lockout", {"account": "$"}, 0, None, {"seconds": LOCKOUT_SECONDS})
    for step in ("entry", "stop", "amend", "crossing", "exit"):
        needs = {"crossing": TAKEN, "exit": CLOSED, "stop": SEPARATE}.get(step, ())
        yield Case("lockout", step, (rule,), needs)


LATE_EXECUTION_SECONDS = 8.0
"""Beyond the deadline, its margin and the proof that the order is absent."""
TOLD_LATE_SECONDS = 60.0
WITHDRAWN = "withdrawn"
"""The step at which a resting entry has been withdrawn and its trade has settled."""


def _late_cases() -> Iterator[Case]:
    """Yield entries executed after they were proven absent, or withdrawn, or told a minute late.

    The exchange breaks its word: it begins an order after its deadline, it fills what it has said
    to be canceled, or neither its stream nor its reads tell of what it has done.
    """
    entry: Match = {"method": "AddOrder", "account": "$", "leg": "entry"}
    for needs in (ATTACHED, SEPARATE):
        begun = Rule("late_execution", entry, params={"seconds": LATE_EXECUTION_SECONDS})
        yield Case("late_execution", "entry", (begun,), (("order_type", "market"), *needs))
        told = (
            Rule("lost_after", entry),
            Rule("read_lag", {}, 0, None, {"seconds": TOLD_LATE_SECONDS}),
            Rule(
                "delay_message",
                {"channel": "executions", "account": "$", "leg": "entry"},
                0,
                6,
                {"seconds": TOLD_LATE_SECONDS},
            ),
        )
        yield Case("told_late", "entry", told, (("order_type", "market"), *needs))
        withdrawn: Needs = (("order_type", "limit"), *needs)
        filled = Rule("fill_after_cancel", {"account": "$", "pair": "$"})
        yield Case("fill_after_cancel", WITHDRAWN, (filled,), withdrawn)
        cut = Rule("socket_drop", {"plane": "private"})
        yield Case("fill_after_cancel", WITHDRAWN, (cut, filled), withdrawn)


CASES: Sequence[Case] = (
    *_request_cases(),
    *_message_cases(),
    *_market_cases(),
    *_everybody_cases(),
    *_wallet_cases(),
    *_pair_cases(),
    *_absence_cases(),
    *_refused_cases(),
    *_lockout_cases(),
    *_late_cases(),
    *_log_cases(),
)
"""Every fault that is played, the kills apart."""

KINDS = tuple(sorted({case.kind for case in CASES}))
