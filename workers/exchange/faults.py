"""Scripted faults: rules that tests post to the control endpoint and the server asks at each point.

A rule is ``{"kind", "match", "skip", "count", "params"}``: of the events that fit ``match``, the
first ``skip`` pass, the next ``count`` (None: all) are hit. ``match`` compares any of ``method``
(``AddOrder``, ``add_order``, …), ``account``, ``pair`` (any spelling: ``BTC/USD``), ``leg``
(``entry``, ``stop``, ``exit``), ``plane`` (``rest``, ``ws``), ``channel``, ``type`` (``snapshot``,
``update``), ``exec_type``; a list means any of.
"""

import asyncio
import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.exchange.errors import (
    ApiError,
    ConnectionAbortedByFaultError,
    HttpStatusFaultError,
    LateExecutionFaultError,
)

REQUEST_KINDS = frozenset(
    ("lost_before", "lost_after", "late_execution", "delay", "http_status", "error", "rate_limit",
     "lockout")
)  # fmt: skip
STREAM_KINDS = frozenset(
    ("drop_message", "duplicate_message", "reorder_message", "delay_message", "bad_checksum",
     "silence", "socket_drop")
)  # fmt: skip
SERVER_KINDS = frozenset(
    ("refuse_connections", "mode", "read_lag", "book_snapshot", "auto_earn", "pair",
     "fill_after_cancel")
)  # fmt: skip
UNLIMITED = ("silence", "refuse_connections", "read_lag", "mode", "lockout")
"""These strike for their ``seconds``, or for ever, and not so many times."""
LOCKOUT = "EGeneral:Temporary lockout"
KINDS = REQUEST_KINDS | STREAM_KINDS | SERVER_KINDS

ENGINE_METHODS = frozenset(
    ("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelAll",
     "CancelOrderBatch", "add_order", "amend_order", "edit_order", "cancel_order", "batch_add")
)  # fmt: skip


@dataclass(slots=True)
class FaultRule:
    """One scripted fault and how often it has met an event (``seen``) and struck (``hits``)."""

    number: int
    kind: str
    match: dict[str, Any] = field(default_factory=dict)
    skip: int = 0
    count: int | None = 1
    params: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0
    until: float | None = None

    def fits(self, event: Mapping[str, Any]) -> bool:
        """Tell whether every matched property of the event is as the rule says."""
        for name, wanted in self.match.items():
            value = event.get(name)
            options = wanted if isinstance(wanted, list) else [wanted]
            values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
            if not any(option in values for option in options):
                return False
        return True

    def strike(self, event: Mapping[str, Any]) -> bool:
        """Count the event and tell whether the rule strikes it."""
        if not self.fits(event):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.count is not None and self.hits >= self.count):
            return False
        self.hits += 1
        return True

    @property
    def when(self) -> str:
        """Return on which side of the execution it strikes: ``before`` or ``after``."""
        if self.kind == "lost_after":
            return "after"
        return str(self.params.get("when", "before"))

    def describe(self) -> dict[str, Any]:
        """Return the rule as the control endpoint shows it."""
        return {
            "id": self.number,
            "kind": self.kind,
            "match": self.match,
            "skip": self.skip,
            "count": self.count,
            "params": self.params,
            "seen": self.seen,
            "hits": self.hits,
        }


class Faults:
    """All rules in force. Nothing in here survives a restart: a script belongs to its test."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self.read_lag = 0.0
        self._numbers = itertools.count(1)
        self._refusing: list[FaultRule] = []

    def add(self, kind: str, rule: Mapping[str, Any]) -> FaultRule:
        """Put a rule in force; the caller has checked the shape."""
        unlimited = kind in UNLIMITED
        created = FaultRule(
            number=next(self._numbers),
            kind=kind,
            match=dict(rule.get("match") or {}),
            skip=int(rule.get("skip") or 0),
            count=rule.get("count", None if unlimited else 1),
            params=dict(rule.get("params") or {}),
        )
        seconds = created.params.get("seconds")
        if unlimited and seconds is not None and kind != "read_lag":
            created.until = asyncio.get_running_loop().time() + float(seconds)
        if kind == "read_lag":
            self.read_lag = float(seconds or 0.0)
            created.hits = 1
        self.rules.append(created)
        return created

    def clear(self) -> None:
        """Take every rule out of force."""
        self.rules.clear()
        self.read_lag = 0.0

    def remove(self, numbers: Collection[int]) -> None:
        """Take some rules out of force."""
        self.rules[:] = [rule for rule in self.rules if rule.number not in numbers]

    def refuses(self, plane: str) -> bool:
        """Tell whether connections of a plane (``rest``, ``public``, ``private``) are refused."""
        return any(rule.strike({"plane": plane}) for rule in self._active(("refuse_connections",)))

    async def request(self, when: str, event: Mapping[str, Any]) -> None:
        """Let the rules strike a request before or after it is executed.

        Raises:
            ConnectionAbortedByFaultError: cut the transport.
            HttpStatusFaultError: answer with an HTTP status.
            ApiError: answer with this error.
        """
        if not self.rules:
            return
        for rule in list(self._active(REQUEST_KINDS)):
            if rule.when == when and rule.strike(event):
                await self._apply(rule, event)

    async def _apply(self, rule: FaultRule, event: Mapping[str, Any]) -> None:
        if rule.kind in ("lost_before", "lost_after"):
            raise ConnectionAbortedByFaultError
        if rule.kind == "late_execution":
            raise LateExecutionFaultError(float(rule.params.get("seconds", 1.0)))
        if rule.kind == "lockout":
            raise ApiError(LOCKOUT)
        if rule.kind == "delay":
            await asyncio.sleep(float(rule.params.get("seconds", 1.0)))
        elif rule.kind == "http_status":
            raise HttpStatusFaultError(int(rule.params.get("status", 520)))
        elif rule.kind == "rate_limit":
            engine = event.get("method") in ENGINE_METHODS
            raise ApiError(f"{'EOrder' if engine else 'EAPI'}:Rate limit exceeded")
        else:
            raise ApiError(str(rule.params.get("error", "EService:Busy")))

    def stream(self, event: Mapping[str, Any]) -> list[FaultRule]:
        """Return the rules that strike one outgoing message of a WebSocket channel."""
        if not self.rules:
            return []
        return [rule for rule in self._active(STREAM_KINDS) if rule.strike(event)]

    def _active(self, kinds: frozenset[str] | tuple[str, ...]) -> Iterator[FaultRule]:
        now = asyncio.get_running_loop().time() if self.rules else 0.0
        for rule in self.rules:
            if rule.kind in kinds and (rule.until is None or now < rule.until):
                yield rule


def leg_of(side: str | None, order_type: str | None) -> str | None:
    """Return what an order is for as far as a spot exchange can tell from its side and type."""
    if order_type is None:
        return None
    if order_type not in ("market", "limit", "iceberg"):
        return "stop"
    return "entry" if side == "buy" else "exit"
