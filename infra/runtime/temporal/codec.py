"""Payloads of Temporal: encrypted, and authenticated for one workflow and one kind of message.

AES-GCM with the key's id, the workflow that a payload belongs to and its kind as associated data.
They stand beside the ciphertext, so that the codec endpoint can decrypt for Temporal's web UI. The
payload of a message says in them as well when it was sealed (microseconds since 1970): what that is
good for is in ``replayed_messages``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING, Self

import structlog
from cryptography.exceptions import InvalidTag
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from infra.runtime.temporal.key_ring import KeyRing, PayloadKey

if TYPE_CHECKING:
    from temporalio.converter import SerializationContext

ENCODING = b"binary/encrypted"
REFUSED = b"aether/refused"
"""Encoding of what stands in place of a payload that is not authentic; its data says why."""
KEY_ID, BINDING, KIND = "encryption-key-id", "encryption-binding", "aether-kind"
SEALED_AT, SEAL_NONCE = "aether-sealed-at", "aether-nonce"
"""What an opened payload of a message says of its sealing."""
NONCE_BYTES = 12
"""96 bits, the size for which AES-GCM is specified (NIST SP 800-38D, 8.2)."""
ACTIVITY, WORKFLOW = "activity", "workflow"
MESSAGES = ("signal/", "update/")
_OF_A_SCHEDULE = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SCHEDULED = (
    "daily-reset/",
    "stress/",
    "reconcile/",
    "universe-review",
    "correlation",
    "market-rules",
    "market-data/",
    "report/",
    "backup",
    "champion-watch",
    "feature-replay",
)
"""How the ids of workflows begin that Temporal starts by itself, from a schedule."""

__all__ = ["EncryptionCodec", "KeyRing", "MessageContext", "PayloadKey", "PayloadKeyError"]

log = structlog.get_logger(__name__)
_kind_of_message: ContextVar[str] = ContextVar("kind_of_message", default=WORKFLOW)


class PayloadKeyError(Exception):
    """A payload was encrypted with a key that is not known, or was altered, or is another's."""


@dataclass(frozen=True, slots=True)
class MessageContext(WorkflowSerializationContext):
    """The workflow that a message goes to, and which message it is."""

    kind: str = WORKFLOW


def signal_kind(name: str) -> str:
    """Return the kind of a signal's payload."""
    return f"signal/{name}"


def update_kind(name: str) -> str:
    """Return the kind of an update's payload."""
    return f"update/{name}"


@contextmanager
def sending(kind: str) -> Iterator[None]:
    """Encrypt payloads as those of a message of this kind (clients: the context has no name)."""
    token = _kind_of_message.set(kind)
    try:
        yield
    finally:
        _kind_of_message.reset(token)


class EncryptionCodec(PayloadCodec, WithSerializationContext):
    """Encrypt with the first key; decrypt with whichever key a payload names.

    A rotation puts the new key first and keeps the old ones until the retention of the last
    history written with them has passed.

    Nothing but an authentic payload of the workflow at hand comes out. Anything else is replaced
    by one that says why, which no converter reads: a message that holds it is refused by itself,
    while a failure to decode would fail the whole turn of the workflow, again and again.
    """

    def __init__(
        self,
        keys: Sequence[PayloadKey] | KeyRing,
        context: SerializationContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
        self._context = context
        self._clock = clock

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec for the payloads of one workflow."""
        bound = object.__new__(type(self))
        bound._ring, bound._context = self._ring, context
        bound._clock = self._clock
        return bound

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads encrypted, their own metadata inside the ciphertext."""
        binding = _binding(self._context, self._clock)
        return [self._encrypt(payload, binding) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads in the clear; a refusal in place of each that is not authentic."""
        return [self._opened(payload) for payload in payloads]

    def _opened(self, payload: Payload) -> Payload:
        try:
            return self.open(payload)
        except PayloadKeyError as error:
            # Temporal shows each run of a schedule what the one before came to: nobody reads it.
            say = log.debug if _is_of_run_before(payload, self._context) else log.warning
            say("a payload was refused", workflow=_workflow(self._context), why=str(error))
            metadata = {"encoding": REFUSED, KIND: REFUSED}
            return Payload(metadata=metadata, data=str(error).encode())

    def open(self, payload: Payload) -> Payload:
        """Return one payload in the clear.

        Raises:
            PayloadKeyError: it is not encrypted, its key is not known, it was altered, or it
                belongs to another workflow.
        """
        if payload.metadata.get("encoding", b"") != ENCODING:
            raise PayloadKeyError("the payload is not encrypted: nobody vouches for it")
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher = self._ring.cipher(key_id)
        if cipher is None:
            raise PayloadKeyError(f"payload key {key_id!r} is not known here")
        binding = payload.metadata.get(BINDING, b"")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            opened = Payload.FromString(cipher.decrypt(nonce, sealed, _associated(key_id, binding)))
        except (InvalidTag, ValueError):
            raise PayloadKeyError(f"payload under key {key_id!r} was altered") from None
        opened.metadata[KIND] = self._kind_if_ours(binding).encode()
        if sealed_at := json.loads(binding)[3:]:
            opened.metadata[SEALED_AT] = str(sealed_at[0]).encode()
            opened.metadata[SEAL_NONCE] = nonce
        return opened

    def _kind_if_ours(self, binding: bytes) -> str:
        namespace, workflow, kind, *_ = json.loads(binding)
        if self._context is None:
            return str(kind)
        context = self._context
        ours = namespace == _namespace(context) and _is_of(workflow, _workflow(context))
        if not ours or (kind == ACTIVITY) != isinstance(context, ActivitySerializationContext):
            raise PayloadKeyError(f"the payload belongs to {workflow!r} ({kind})")
        return str(kind)

    def _encrypt(self, payload: Payload, binding: bytes) -> Payload:
        nonce, (key_id, cipher) = token_bytes(NONCE_BYTES), self._ring.current()
        content = payload.SerializeToString()
        sealed = cipher.encrypt(nonce, content, _associated(key_id, binding))
        metadata = {"encoding": ENCODING, KEY_ID: key_id.encode(), BINDING: binding}
        return Payload(metadata=metadata, data=nonce + sealed)


def _associated(key_id: str, binding: bytes) -> bytes:
    return key_id.encode() + b"\0" + binding


def _binding(context: SerializationContext | None, clock: Callable[[], float]) -> bytes:
    """Return what a payload is for, as JSON: namespace, workflow, kind, of a message its time."""
    kind = _kind_of_message.get()
    if isinstance(context, ActivitySerializationContext):
        kind = ACTIVITY
    elif isinstance(context, MessageContext):
        kind = context.kind
    words: list[str | int] = [_namespace(context), _workflow(context), kind]
    if kind.startswith(MESSAGES):
        words.append(int(clock() * 1_000_000))
    return json.dumps(words, separators=(",", ":")).encode()


def _namespace(context: SerializationContext | None) -> str:
    return getattr(context, "namespace", None) or ""


def _workflow(context: SerializationContext | None) -> str:
    return getattr(context, "workflow_id", None) or ""


def _is_of_run_before(payload: Payload, context: SerializationContext | None) -> bool:
    """Tell whether a payload says to be of another run of the same schedule."""
    try:
        bound = str(json.loads(payload.metadata.get(BINDING, b""))[1])
    except (ValueError, IndexError, TypeError):
        return False
    runs = [_OF_A_SCHEDULE.sub("", name) for name in (bound, _workflow(context))]
    return runs[0] == runs[1] and bound != runs[0] and bound.startswith(SCHEDULED)


def _is_of(bound: str, workflow: str) -> bool:
    """Tell whether a payload bound to one id is that workflow's.

    What a schedule starts has the moment behind the id that the schedule's payload is bound to.
    """
    if bound == workflow:
        return True
    scheduled = bound.startswith(SCHEDULED) and workflow.startswith(bound)
    return scheduled and _OF_A_SCHEDULE.fullmatch(workflow, len(bound)) is not None
