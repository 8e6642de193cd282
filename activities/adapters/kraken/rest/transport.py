"""Signed and public REST calls: krakenex for signing and sending, with what it lacks around it."""

import asyncio
import hashlib
import hmac
import json
import logging
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import krakenex
import requests

from activities.adapters.kraken.addresses import AllowedHosts, guarded_session
from activities.adapters.kraken.errors import Operation, classify, classify_failure, undecided
from activities.adapters.kraken.limits.cool_down import ADDRESS_SCOPES, KEY_SCOPES, CoolDown
from activities.adapters.kraken.limits.priority_gate import Priority, PriorityGate
from activities.adapters.kraken.rest.nonce import NonceCounter
from activities.ports.exchange_errors import CoolingDown, ExchangeError, ExchangeUnavailableError
from activities.ports.secrets import Credentials

_log = logging.getLogger(__name__)

Parameter = str | int | bool | Decimal | Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect and to wait for the next bytes of an answer; every call has both."""

    connect: float = 1.5
    read: float = 5.0


class KrakenApi(krakenex.API):  # type: ignore[misc]
    """krakenex with durable nonces, exact numbers, untouched arguments and guarded addresses."""

    def __init__(
        self,
        base: str,
        allowed: AllowedHosts,
        credentials: Credentials | None = None,
        nonces: NonceCounter | None = None,
    ) -> None:
        super().__init__(
            credentials.key if credentials else "", credentials.secret if credentials else ""
        )
        allowed.check(base)
        self.uri = base.rstrip("/")
        self.session: requests.Session = guarded_session(allowed)
        self.json_options(parse_float=Decimal, parse_constant=_refuse_constant)
        self._nonces = nonces

    def _nonce(self) -> int:
        if self._nonces is None:
            raise RuntimeError("a signed call needs a nonce counter")
        return self._nonces.next()

    def query_json(self, method: str, body: Mapping[str, Any], timeout: tuple[float, float]) -> Any:
        """Send a signed call with a JSON body: the only way to send a list (batch calls)."""
        nonce = self._nonce()
        path = f"/{self.apiversion}/private/{method}"
        text = json.dumps({"nonce": nonce, **body})
        digest = hashlib.sha256(f"{nonce}{text}".encode()).digest()
        signature = hmac.new(b64decode(self.secret), path.encode() + digest, hashlib.sha512)
        headers = {
            "API-Key": self.key,
            "API-Sign": b64encode(signature.digest()).decode(),
            "Content-Type": "application/json",
        }
        return self._query(path, text.encode(), headers, timeout=timeout)


OVERTAKE_SECONDS = 0.5
"""How long a signed call keeps the next one waiting for its answer.

By then it has long arrived, so that nonces are in order; and were it not so, the exchange refuses
the one that comes too late before executing it. A stop must not wait for somebody else's answer.
"""
SIGNED_CALLS_AT_ONCE = 4
PROBE_SECONDS = (1.0, 1.5)


class Transport:
    """Run calls in threads of their own and turn every failure into a typed error.

    Signed calls of a key are sent one after the other, so that nonces arrive in the order in which
    they were drawn; who waits goes by priority. Public calls have their own thread and session.
    """

    def __init__(
        self,
        base: str,
        allowed: AllowedHosts,
        credentials: Credentials | None = None,
        nonces: NonceCounter | None = None,
        timeouts: Timeouts | None = None,
        key_rest: CoolDown | None = None,
        address_rest: CoolDown | None = None,
    ) -> None:
        """``key_rest`` and ``address_rest`` tell when the key, or everybody here, must be quiet."""
        timeouts = timeouts or Timeouts()
        self._key_rest = key_rest or CoolDown(scopes=KEY_SCOPES)
        self._address_rest = address_rest or CoolDown(scopes=ADDRESS_SCOPES)
        self._timeout = (timeouts.connect, timeouts.read)
        self._base, self._allowed = base, allowed
        self._public = KrakenApi(base, allowed)
        self._signed: _Connections | None = None
        self._retired: list[_Connections] = []
        if credentials is not None:
            self._signed = _Connections(lambda: KrakenApi(base, allowed, credentials, nonces))
        self._public_thread = ThreadPoolExecutor(1, "kraken-public")
        # Of its own: whether anybody is there must not wait for an answer that never comes.
        self._probe = KrakenApi(base, allowed)
        self._probe_thread = ThreadPoolExecutor(1, "kraken-probe")
        self._signed_threads = ThreadPoolExecutor(SIGNED_CALLS_AT_ONCE, "kraken-signed")
        self._gate = PriorityGate()
        self._closed = False

    async def public(self, method: str, parameters: Mapping[str, Parameter] | None = None) -> Any:
        """Return the result of a public call.

        Raises:
            ExchangeError: typed by what the failure means for a read.
        """
        self._refuse_when_closed()
        data = _form(parameters or {})

        def send() -> Any:
            return self._public.query_public(method, data, timeout=self._timeout)

        tried = self._address_rest.enter(method, signed=False)
        loop = asyncio.get_running_loop()
        sending = loop.run_in_executor(self._public_thread, _answer, send, Operation.READ)

        def note(done: "asyncio.Future[Any]") -> None:
            self._address_rest.leave(method, tried, _failure(done), signed=False)

        sending.add_done_callback(note)
        return await asyncio.shield(sending)

    def use_key(
        self, credentials: Credentials, nonces: NonceCounter, key_rest: CoolDown | None = None
    ) -> None:
        """Sign with another key from the next call on; those under way end with the one before."""
        base, allowed = self._base, self._allowed
        if self._signed is not None:
            self._retired.append(self._signed)
        self._signed = _Connections(lambda: KrakenApi(base, allowed, credentials, nonces))
        self._key_rest = key_rest or CoolDown(scopes=KEY_SCOPES)

    def refuse_while_cooling(self, method: str = "", *, urgent: bool = False) -> None:
        """Raise CoolingDownError while a signed call of this method would not be sent."""
        self._address_rest.refuse(method, urgent=urgent)
        self._key_rest.refuse(method, urgent=urgent)

    def cooling_down(self) -> tuple[CoolingDown, ...]:
        """Return every cool-down in force, of the key and of the address."""
        return (*self._key_rest.in_force(), *self._address_rest.in_force())

    async def is_there(self) -> bool:
        """Tell whether the exchange is there and not in maintenance; no counter counts this."""

        def send() -> Any:
            return self._probe.query_public("SystemStatus", {}, timeout=PROBE_SECONDS)

        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._probe_thread, _answer, send, Operation.READ)
        except ExchangeError as failure:
            # A refusal, were it for asking too often, is an answer.
            return not isinstance(failure, ExchangeUnavailableError)
        return not isinstance(found, dict) or found.get("status") != "maintenance"

    async def private(
        self,
        method: str,
        parameters: Mapping[str, Parameter],
        operation: Operation,
        priority: Priority = Priority.READ,
        still_wanted: Callable[[], None] | None = None,
    ) -> Any:
        """Return the result of a signed call.

        A list among the parameters makes the body JSON. ``still_wanted`` is called when the turn
        has come and may raise instead of letting the request be sent.

        Raises:
            ExchangeError: typed by what the failure means for the operation.
        """
        if self._signed is None:
            raise RuntimeError("a signed call needs credentials")
        as_json = any(isinstance(value, list | tuple) for value in parameters.values())

        def send() -> Any:
            api = connections.own()
            if as_json:
                return api.query_json(method, parameters, self._timeout)
            return api.query_private(method, _form(parameters), timeout=self._timeout)

        await self._gate.enter(priority)
        try:
            self._refuse_when_closed()
            if still_wanted is not None:
                still_wanted()
            admissions = self._enter(method, urgent=priority is Priority.PROTECT)
            # The key may have been replaced while the turn was waited for; what it is refused with
            # would be held against the new one.
            connections = self._signed
            loop = asyncio.get_running_loop()
            sending = loop.run_in_executor(self._signed_threads, _signed_answer, send, operation)
        except BaseException:
            self._gate.leave()
            raise
        # The turn ends with the request, not with the caller: a canceled caller's request is
        # still under way and the next nonce must not overtake it.
        sending.add_done_callback(lambda done: _leave(admissions, method, done))
        turn = _Turn(self._gate)
        overtaken = loop.call_later(OVERTAKE_SECONDS, turn.end)
        sending.add_done_callback(lambda done: turn.end_with(done, overtaken))
        return await asyncio.shield(sending)

    def _enter(self, method: str, *, urgent: bool) -> list[tuple[CoolDown, tuple[str, ...]]]:
        # Asked of both before either counts it as a try.
        self.refuse_while_cooling(method, urgent=urgent)
        rests = (self._address_rest, self._key_rest)
        return [(rest, rest.enter(method, urgent=urgent)) for rest in rests]

    async def close(self) -> None:
        """Wait for the calls under way and close the connections."""
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._shutdown)

    def _refuse_when_closed(self) -> None:
        # Whoever still holds this exchange after a change of mode asks for the new one and goes on.
        if self._closed:
            raise ExchangeUnavailableError("the connection was closed: nothing was sent")

    def _shutdown(self) -> None:
        self._public_thread.shutdown(wait=True)
        self._probe_thread.shutdown(wait=True)
        self._signed_threads.shutdown(wait=True)
        self._public.close()
        self._probe.close()
        for connections in (*self._retired, *([self._signed] if self._signed else [])):
            connections.close()


class _Connections:
    """A connection for each thread: a session of requests is not made for two at once."""

    def __init__(self, make: Callable[[], KrakenApi]) -> None:
        self._make = make
        self._own = threading.local()
        self._all: list[KrakenApi] = []

    def own(self) -> KrakenApi:
        """Return the connection of the thread that asks."""
        found: KrakenApi | None = getattr(self._own, "api", None)
        if found is None:
            found = self._own.api = self._make()
            self._all.append(found)
        return found

    def close(self) -> None:
        """Close those of all threads."""
        for api in self._all:
            api.close()


class _Turn:
    """A turn at the gate, which ends once: with the answer, or when it has lasted too long."""

    def __init__(self, gate: PriorityGate) -> None:
        self._gate = gate
        self._ended = False

    def end(self) -> None:
        """Let the next one through."""
        if not self._ended:
            self._ended = True
            self._gate.leave()

    def end_with(self, sending: "asyncio.Future[Any]", overtaken: asyncio.TimerHandle) -> None:
        """Let the next one through; nobody may be left to look at a failure."""
        overtaken.cancel()
        self.end()
        if not sending.cancelled():
            sending.exception()


def _failure(done: "asyncio.Future[Any]") -> BaseException | None:
    return asyncio.CancelledError() if done.cancelled() else done.exception()


def _leave(
    admissions: Sequence[tuple[CoolDown, tuple[str, ...]]],
    method: str,
    done: "asyncio.Future[Any]",
) -> None:
    """Tell each cool-down what came of a request, be its caller still there or not."""
    failure = _failure(done)
    for rest, tried in admissions:
        rest.leave(method, tried, failure)


def _signed_answer(send: Callable[[], Any], operation: Operation) -> dict[str, Any]:
    try:
        return _object(send, operation)
    except ExchangeError as failure:
        if not failure.raw.startswith("EAPI:Invalid nonce"):
            raise
    # Refused before execution (§3), so the same request may go once more with a higher nonce.
    _log.warning("the exchange refused a nonce; sending once more with a higher one")
    return _object(send, operation)


def _object(send: Callable[[], Any], operation: Operation) -> dict[str, Any]:
    """Return the result of a signed call, which is an object: another was written by another."""
    result = _answer(send, operation)
    if not isinstance(result, dict):
        raise undecided(f"the result was no object: {str(result)[:200]}", operation)
    return result


def _answer(send: Callable[[], Any], operation: Operation) -> Any:
    try:
        envelope = send()
    except (OSError, ValueError) as failure:
        # requests' exceptions are OSErrors; an answer that is not JSON is a ValueError.
        raise classify_failure(failure, operation) from failure
    if not isinstance(envelope, dict) or not isinstance(envelope.get("error", []), list):
        raise undecided(f"the answer was no envelope: {str(envelope)[:200]}", operation)
    errors = [str(error) for error in envelope.get("error", [])]
    refusals = [error for error in errors if not error.startswith("W")]
    if refusals:
        raise classify(refusals[0], operation)
    if errors:
        _log.warning("the exchange warned: %s", "; ".join(errors))
    if "result" not in envelope:
        raise undecided("the answer had neither error nor result", operation)
    return envelope["result"]


def _form(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    return {name: _text(value) for name, value in parameters.items()}


def _text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str | int):
        return str(value)
    return ",".join(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"the answer held {name}, which is no number")
