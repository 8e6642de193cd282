"""The composition root of the notifying process."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.adapters.notify.figures import ApiFigures
from activities.adapters.notify.kinds import notifiers
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.adapters.postgres.notifications.record import PostgresNotifications
from activities.adapters.postgres.record.evidence import PostgresEvidence
from activities.adapters.postgres.record.packs import PostgresPackDesk
from activities.adapters.record.pack_targets import pack_target
from activities.adapters.record.signer import LogSigner, log_key
from activities.adapters.stored_secrets import StoredSecrets
from activities.adapters.temporal.notifications import begin_notification
from activities.notifications.conditions import ConditionWatch
from activities.notifications.pump import NotificationPump
from activities.notifications.steps import NotificationActivities
from activities.record.evidence import EvidenceExporter
from activities.record.requested_packs import RequestedPacks
from activities.record.scheduled_packs import ScheduledPacks
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from infra.runtime.errors import StateError
from infra.runtime.note_keys import verifier_of
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.workers import take_turns_whole, worker_options
from models.contracts.people.notifications import NOTIFICATION_QUEUE
from models.trading.governance.notifications.notice import Notice, Severity
from models.trading.governance.notifications.routing import Escalation
from workers.connection import secret_store
from workflows.governance.notification import NotificationWorkflow

MESSAGES_AT_ONCE = 20


@dataclass(frozen=True)
class NotificationParts:
    """What sends messages, what follows the record, and what watches figures."""

    steps: NotificationActivities
    pump: NotificationPump
    watch: ConditionWatch


def notification_parts(
    settings: Settings, database: Database, client: Client, looked: Callable[[], None]
) -> NotificationParts:
    """Pick the adapters; the database is that of the role ``aether_notifier``.

    ``looked`` is called each time the record was looked at.
    """
    record = PostgresNotifications(database)
    steps = NotificationActivities(
        record,
        notifiers(settings, StoredSecrets(secret_store(settings)), _now),
        escalation_in_force(database),
        _now,
        settings.control_room_url or f"http://localhost:{settings.api_port}",
    )
    begin = partial(begin_notification, client)
    watch = ConditionWatch(ApiFigures(settings.api_url), begin, _now)
    return NotificationParts(steps, NotificationPump(record, begin, looked), watch)


def scheduled_packs(settings: Settings, recorder: Database) -> ScheduledPacks:
    """Pick the adapters of evidence packs; the database is that of ``aether_recorder``.

    Raises:
        SecretsError: the store of secrets cannot be used.
        StateError: the record's key is not there yet.
    """
    place = settings.evidence_target.rstrip("/")
    return ScheduledPacks(
        pack_target(place),
        lambda name: pack_target(f"{place}/{name}"),
        _exporter(settings, recorder),
        timedelta(hours=settings.evidence_hours),
        _now,
    )


def requested_packs(settings: Settings, recorder: Database) -> RequestedPacks:
    """Pick the adapters of packs that people ask for; the same database.

    Raises:
        SecretsError: the store of secrets cannot be used.
        StateError: the record's key is not there yet.
    """
    return RequestedPacks(PostgresPackDesk(recorder), _exporter(settings, recorder), _now)


def _exporter(settings: Settings, recorder: Database) -> EvidenceExporter:
    import rfc8785

    places = StateDirectory(settings.home)
    key_file = places.record / "log.key"
    if not key_file.exists():
        raise StateError("the record's key is not there yet")
    key = key_file.read_text()
    private = log_key(secret_store(settings), places.secrets)
    signer = LogSigner(private, places.record, verifier_of(key).name)
    return EvidenceExporter(PostgresEvidence(recorder), signer, rfc8785.dumps, key)


def evidence_alarm(client: Client) -> Callable[[str], Awaitable[None]]:
    """Return what tells people that no evidence pack could be made."""

    async def tell(reason: str) -> None:
        at = _now()
        notice = Notice(
            occurrence=f"evidence.{at:%Y%m%dT%H%M%S}",
            key="evidence_failed",
            event="evidence_failed",
            severity=Severity.WARNING,
            scope=PLATFORM_SCOPE,
            title="No evidence pack of the record could be made",
            detail=reason[:500],
            runbook="",
            at=at,
        )
        await begin_notification(client, notice)

    return tell


def notification_worker(
    client: Client,
    steps: NotificationActivities,
    queue: str = NOTIFICATION_QUEUE,
    interceptors: Sequence[Interceptor] = (),
) -> Worker:
    """Return the worker of the notifications' queue."""
    options = worker_options(max_concurrent_activities=MESSAGES_AT_ONCE, max_cached_workflows=200)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[NotificationWorkflow],
        activities=[
            steps.record_notice,
            steps.plan_routes,
            steps.deliver,
            steps.give_up,
            steps.close_notification,
        ],
        interceptors=interceptors,
        **options,
    )
    return take_turns_whole(worker)


def escalation_in_force(database: Database) -> Callable[[], Awaitable[Escalation]]:
    """Return what reads the settings ``notifications.*``."""

    async def read() -> Escalation:
        return (await PostgresPlatformSettings(database).rules()).escalation

    return read


def _now() -> datetime:
    return datetime.now(UTC)
