"""Payloads are unreadable on the way, and worth something for one workflow and message only."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from infra.runtime.temporal.client import data_converter
from infra.runtime.temporal.codec import (
    BINDING,
    KIND,
    REFUSED,
    SCHEDULED,
    EncryptionCodec,
    MessageContext,
    PayloadKey,
    PayloadKeyError,
    sending,
    signal_kind,
)
from infra.runtime.temporal.payload_converter import RefusedPayloadError
from infra.runtime.temporal.replayed_messages import BEGAN_LATER, ReplayGuard
from models.contracts import names
from models.contracts.backups import BACKUP_ID
from models.contracts.learning import CHAMPION_WATCH_ID, FEATURE_REPLAY_ID
from models.contracts.market.data import DataWork, market_data_id
from models.contracts.reports import REPORTS, report_schedule_id

ONE = WorkflowSerializationContext("aether", "account/one")
DAILY = names.daily_reset_workflow_id("one")


def a_key(name: str) -> PayloadKey:
    return PayloadKey(name, os.urandom(32))


def a_payload() -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=b'{"quantity":"0.01"}')


def of_an_activity(workflow: str) -> ActivitySerializationContext:
    return ActivitySerializationContext(
        namespace="aether",
        activity_id="7",
        activity_type="place_order",
        activity_task_queue="trading",
        workflow_id=workflow,
        workflow_type="AccountWorkflow",
        is_local=False,
    )


async def test_payload_survives_and_is_unreadable_on_the_way() -> None:
    codec = EncryptionCodec([a_key("one")]).with_context(ONE)
    (sealed,) = await codec.encode([a_payload()])
    assert b"quantity" not in sealed.SerializeToString()
    assert sealed.metadata["encryption-key-id"] == b"one"
    (opened,) = await codec.decode([sealed])
    assert opened.data == a_payload().data
    assert opened.metadata["encoding"] == b"json/plain"


async def test_rotated_codec_writes_with_the_new_key_and_reads_the_old() -> None:
    old, new = a_key("old"), a_key("new")
    (sealed,) = await EncryptionCodec([old]).encode([a_payload()])
    rotated = EncryptionCodec([new, old])
    assert rotated.open(sealed).data == a_payload().data
    (again,) = await rotated.encode([a_payload()])
    assert again.metadata["encryption-key-id"] == b"new"


async def test_unknown_key_altered_and_plain_payloads_are_refused() -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.encode([a_payload()])
    with pytest.raises(PayloadKeyError, match="not known"):
        EncryptionCodec([a_key("two")]).open(sealed)
    with pytest.raises(PayloadKeyError, match="not encrypted"):
        codec.open(a_payload())
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(PayloadKeyError, match="altered"):
        codec.open(sealed)


@pytest.mark.parametrize("name", ["encryption-binding", "encryption-key-id"])
async def test_what_stands_beside_the_ciphertext_is_authenticated(name: str) -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.encode([a_payload()])
    sealed.metadata[name] = b'["aether","account/two","workflow"]'
    with pytest.raises(PayloadKeyError):
        codec.open(sealed)


@pytest.mark.parametrize(
    "reader",
    [
        WorkflowSerializationContext("aether", "account/two"),
        WorkflowSerializationContext("another", "account/one"),
        WorkflowSerializationContext("aether", "account/one-2026-01-01T00:00:00Z"),
        of_an_activity("account/one"),
    ],
    ids=["workflow", "namespace", "as if of a schedule", "activity"],
)
async def test_payload_of_one_place_is_refused_in_another(reader: object) -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.with_context(ONE).encode([a_payload()])
    with pytest.raises(PayloadKeyError, match="belongs to 'account/one'"):
        codec.with_context(reader).open(sealed)  # type: ignore[arg-type]


async def test_payload_without_a_place_is_refused_by_every_workflow() -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.encode([a_payload()])
    with pytest.raises(PayloadKeyError, match="belongs to"):
        codec.with_context(ONE).open(sealed)


async def test_what_a_schedule_starts_reads_the_schedules_payload() -> None:
    codec = EncryptionCodec([a_key("one")])
    scheduled = codec.with_context(WorkflowSerializationContext("aether", DAILY))
    (sealed,) = await scheduled.encode([a_payload()])
    started = WorkflowSerializationContext("aether", f"{DAILY}-2026-11-28T00:00:00Z")
    assert codec.with_context(started).open(sealed).data == a_payload().data


@pytest.mark.parametrize("kind", REPORTS)
async def test_scheduled_report_reads_which_kind_is_wanted(kind) -> None:
    codec = EncryptionCodec([a_key("one")])
    schedule = WorkflowSerializationContext("aether", report_schedule_id(kind))
    (sealed,) = await codec.with_context(schedule).encode([a_payload()])
    run = WorkflowSerializationContext("aether", f"{schedule.workflow_id}-2026-11-28T00:00:00Z")
    assert codec.with_context(run).open(sealed).data == a_payload().data


async def test_result_of_the_run_before_is_refused_without_a_warning() -> None:
    codec = EncryptionCodec([a_key("one")])
    first, second, other = (
        WorkflowSerializationContext("aether", f"{name}-2026-11-28T00:0{minute}:00Z")
        for name, minute in ((CHAMPION_WATCH_ID, 0), (CHAMPION_WATCH_ID, 1), (DAILY, 1))
    )
    (sealed,) = await codec.with_context(first).encode([a_payload()])
    for reader, warns in ((second, False), (other, True)):
        with capture_logs() as said:
            (found,) = await codec.with_context(reader).decode([sealed])
        assert found.metadata["encoding"] == REFUSED
        assert [one["log_level"] for one in said] == ["warning" if warns else "debug"]


def test_only_what_schedules_start_is_taken_for_it() -> None:
    scheduled = [
        DAILY,
        names.stress_workflow_id("one", "daily"),
        names.reconcile_workflow_id("one"),
        names.UNIVERSE_REVIEW_ID,
        names.CORRELATION_ID,
        names.MARKET_RULES_ID,
        *(market_data_id(work) for work in DataWork),
        *(report_schedule_id(kind) for kind in REPORTS),
        BACKUP_ID,
        CHAMPION_WATCH_ID,
        FEATURE_REPLAY_ID,
    ]
    assert all(name.startswith(SCHEDULED) for name in scheduled)
    others = [
        names.account_workflow_id("one"),
        names.trade_workflow_id("one", 1),
        names.hedge_workflow_id("one"),
        names.kill_switch_workflow_id(1),
        names.approval_workflow_id("one", "1"),
    ]
    assert not any(name.startswith(SCHEDULED) for name in others)


async def test_message_is_told_apart_from_others_of_its_workflow() -> None:
    codec = EncryptionCodec([a_key("one")]).with_context(ONE)
    with sending(signal_kind("halt")):
        (from_client,) = await codec.encode([a_payload()])
    context = MessageContext("aether", "account/one", signal_kind("halt"))
    (from_workflow,) = await codec.with_context(context).encode([a_payload()])
    for sealed in (from_client, from_workflow):
        assert codec.open(sealed).metadata[KIND] == b"signal/halt"


async def test_refusal_stands_in_for_the_payload_and_is_read_by_no_converter() -> None:
    converter = data_converter([a_key("one")]).with_context(ONE)
    assert converter.payload_codec is not None
    (refused,) = await converter.payload_codec.decode([a_payload()])
    assert refused.metadata["encoding"] == REFUSED
    with pytest.raises(RefusedPayloadError, match="not encrypted"):
        await converter.decode([a_payload()])


def test_key_never_shows_its_secret() -> None:
    key = a_key("one")
    assert key.secret.hex() not in repr(key)
    assert "hidden" in repr(key)


async def test_failures_are_encrypted_too() -> None:
    converter = data_converter([a_key("one")])
    failure = Failure()
    await converter.encode_failure(ApplicationError("director-1 owes 17 USD"), failure)
    assert b"director-1" not in failure.SerializeToString()


# --- copies and old messages ----------------------------------------------------------------------

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


async def a_message(seconds: float, kind: str = "update/resume") -> Payload:
    """Return an opened message that was sealed so long after the run began."""
    codec = EncryptionCodec([a_key("one")], clock=lambda: BEGAN.timestamp() + seconds)
    with sending(kind):
        (sealed,) = await codec.with_context(ONE).encode([a_payload()])
    return codec.with_context(ONE).open(sealed)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


async def test_update_lives_for_a_minute_and_only_once_and_in_one_run() -> None:
    guard, message = ReplayGuard(BEGAN), await a_message(10)
    assert guard.update_problem(message, after(70)) is None
    assert "copy" in (guard.update_problem(message, after(70)) or "")
    assert "too old" in (guard.update_problem(await a_message(10), after(71)) or "")
    # The next run knows nothing of what this one has taken: what was sealed before it is refused.
    later = ReplayGuard(after(11))
    assert BEGAN_LATER in (later.update_problem(message, after(12)) or "")
    # A replay of this run knows what its history shows as taken.
    replay = ReplayGuard(BEGAN)
    replay.note_update(message)
    assert "copy" in (replay.update_problem(message, after(20)) or "")


async def test_signal_may_wait_for_hours_but_not_come_twice_nor_long_out_of_order() -> None:
    guard, kind = ReplayGuard(BEGAN), "signal/idea_arrived"
    first = await a_message(1, kind)
    assert guard.signal_problem(first) is None
    assert guard.signal_problem(await a_message(7200, kind)) is None
    assert guard.signal_problem(await a_message(7175, kind)) is None
    assert "long before" in (guard.signal_problem(first) or "")
    near = await a_message(7180, kind)
    assert guard.signal_problem(near) is None
    assert "copy" in (guard.signal_problem(near) or "")
    before = await a_message(-31, kind)
    assert "long before" in (ReplayGuard(BEGAN).signal_problem(before) or "")


async def test_moment_of_sealing_cannot_be_altered() -> None:
    codec = EncryptionCodec([a_key("one")]).with_context(ONE)
    with sending("update/resume"):
        (sealed,) = await codec.encode([a_payload()])
    words = json.loads(sealed.metadata[BINDING])
    sealed.metadata[BINDING] = json.dumps(
        [*words[:3], words[3] + 1], separators=(",", ":")
    ).encode()
    with pytest.raises(PayloadKeyError, match="altered"):
        codec.open(sealed)
