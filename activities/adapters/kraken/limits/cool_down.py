"""Leaving Kraken alone for as long as asking would make things worse, across restarts.

One ``CoolDown`` belongs to one key, another one to the address that all keys of a place share. A
cool-down begins with a refusal (``cool_down_rules``). When its pause is over, one request tries
whether the exchange answers again; all others wait for what it comes to.
"""

import json
import logging
import math
import os
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities.adapters.kraken.limits.cool_down_rules import (
    PROTECTION_SECONDS,
    CoolDownRule,
    Scope,
    rule_for,
    rule_named,
    told_seconds,
)
from activities.ports.exchange_errors import CoolingDown, CoolingDownError, ExchangeError

_log = logging.getLogger(__name__)

TRY_SECONDS = 30.0
"""After so long a try whose outcome never came does not keep others from trying."""
KEY_SCOPES = (Scope.KEY, Scope.METHOD)
ADDRESS_SCOPES = (Scope.ADDRESS, Scope.PUBLIC)

WAIT_SECONDS = 1.0
"""How long the others wait for the outcome of a try before they look again."""
LOST_TRY_SECONDS = 1.0
"""Pause after a try whose answer was lost: it tells nothing of the cool-down."""


@dataclass(frozen=True, slots=True)
class _Cooling:
    """A cool-down in force; times are unix seconds. ``place`` is its scope and method."""

    place: str
    rule: str
    reason: str
    since: float
    until: float
    seconds: float
    rung: int = 0


class CoolDown:
    """What one key, or one address, must not ask before when."""

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,  # noqa: TID251 - the default of an argument
        scopes: Collection[Scope] = tuple(Scope),
    ) -> None:
        """``path`` is the file that outlives a restart, ``scopes`` are those that are kept here."""
        self._path = path
        self._scopes = scopes
        self._clock = clock
        self._tries: dict[str, float] = {}
        self._states: dict[str, _Cooling] = {} if path is None else _load(path)

    def refuse(self, method: str, *, signed: bool = True, urgent: bool = False) -> None:
        """Raise CoolingDownError while a request of this method must not be sent.

        ``urgent``: it protects a position, and waits for no long guess of ours.
        """
        for state in self._of(method, signed=signed):
            hurries = urgent and _is_guess(state)
            left = self._left(state)
            if hurries:
                left -= max(0.0, state.seconds - PROTECTION_SECONDS)
            trying = self._tries.get(state.place)
            if left > 0:
                raise _error(state, left)
            longest = WAIT_SECONDS if hurries else TRY_SECONDS
            if trying is not None and self._clock() - trying < longest:
                raise _error(state, WAIT_SECONDS)

    def enter(self, method: str, *, signed: bool = True, urgent: bool = False) -> tuple[str, ...]:
        """Admit a request; return the cool-downs of which it tries whether they are over.

        Raises:
            CoolingDownError: it must not be sent.
        """
        self.refuse(method, signed=signed, urgent=urgent)
        tried = tuple(state.place for state in self._of(method, signed=signed))
        for place in tried:
            self._tries[place] = self._clock()
        return tried

    def leave(
        self,
        method: str,
        tried: tuple[str, ...],
        failure: BaseException | None,
        *,
        signed: bool = True,
    ) -> None:
        """Take the outcome of a request that was admitted."""
        raw = failure.raw if isinstance(failure, ExchangeError) else ""
        rule = rule_for(raw, signed=signed)
        if rule is not None and rule.scope not in self._scopes:
            rule = None
        begun = None if rule is None else _place(rule, method)
        if rule is not None and begun is not None:
            self._begin(rule, begun, raw, was_try=begun in tried)
        is_answer = failure is None or raw.startswith("E")
        for place in tried:
            self._tries.pop(place, None)
            if place == begun or place not in self._states:
                continue
            if is_answer:
                self._end(place)
            else:
                until = self._clock() + LOST_TRY_SECONDS
                self._states[place] = replace(self._states[place], until=until)

    def in_force(self) -> tuple[CoolingDown, ...]:
        """Return every cool-down in force, the longest first."""
        states = sorted(self._states.values(), key=lambda state: -state.until)
        return tuple(_told(state) for state in states)

    def _of(self, method: str, *, signed: bool) -> list[_Cooling]:
        if not self._states:
            return []
        places = [Scope.ADDRESS.value]
        places += [Scope.KEY.value, f"{Scope.METHOD}/{method}"] if signed else [Scope.PUBLIC.value]
        return [self._states[place] for place in places if place in self._states]

    def _left(self, state: _Cooling) -> float:
        # A clock that was set back must not make a pause longer than it is.
        return min(state.until - self._clock(), state.seconds)

    def _begin(self, rule: CoolDownRule, place: str, raw: str, *, was_try: bool) -> None:
        now, known = self._clock(), self._states.get(place)
        if known is not None and self._left(known) > 0 and not was_try:
            return  # sent before the pause began, or beside it
        rung = known.rung + 1 if known is not None and known.rule == rule.name else 0
        told = told_seconds(raw, now)
        seconds = rule.pause(rung) if told is None else min(told, rule.longest)
        since = known.since if known is not None else now
        state = _Cooling(place, rule.name, raw, since, now + seconds, seconds, rung)
        self._states[place] = state
        self._save()
        _log.warning("%s", _told(state).reason)

    def _end(self, place: str) -> None:
        state = self._states.pop(place)
        self._save()
        _log.warning("the cool-down after %r is over", state.reason)

    def _save(self) -> None:
        if self._path is None:
            return
        fresh = self._path.with_suffix(".fresh")
        content = json.dumps([asdict(state) for state in self._states.values()]).encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            descriptor = os.open(fresh, flags, 0o600)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)
            fresh.replace(self._path)
        except OSError as failure:
            _log.warning("the cool-down is not kept for a restart: %s", failure)


def _is_guess(state: _Cooling) -> bool:
    rule = rule_named(state.rule)
    return rule is not None and rule.is_guess


def _place(rule: CoolDownRule, method: str) -> str:
    return f"{rule.scope}/{method}" if rule.scope is Scope.METHOD else rule.scope.value


def _told(state: _Cooling) -> CoolingDown:
    until = datetime.fromtimestamp(state.until, UTC)
    reason = f"cooling down ({state.rule}) until {until:%Y-%m-%d %H:%M:%S} UTC: {state.reason}"
    return CoolingDown(state.rule, reason, until, state.seconds)


def _error(state: _Cooling, seconds: float) -> CoolingDownError:
    return CoolingDownError(_told(state), seconds)


def _load(path: Path) -> dict[str, _Cooling]:
    try:
        rows = json.loads(path.read_bytes())
        states = [_checked(row) for row in rows]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as failure:
        _log.warning("what was kept of cool-downs cannot be read: %s", failure)
        return {}
    return {state.place: state for state in states if state is not None}


def _checked(row: dict[str, Any]) -> _Cooling | None:
    rule = rule_named(str(row["rule"]))
    times = [float(row[name]) for name in ("since", "until", "seconds")]
    if rule is None or not all(math.isfinite(value) for value in times):
        return None
    since, until, seconds = times
    seconds = min(max(seconds, 0.0), rule.longest)
    return _Cooling(
        str(row["place"]),
        rule.name,
        str(row["reason"])[:200],
        since,
        until,
        seconds,
        int(row["rung"]),
    )
