"""The API's process: ``python -m api``."""

import uvicorn
from temporalio.client import Client

from activities.adapters.people.sealing import Sealing
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.protection_waiting import read_waiting
from activities.adapters.postgres.requests import PostgresRequests
from activities.execution.protection_load import ProtectionLoad
from api.app import create_app
from api.http.admission import EntryAdmission
from api.routes.platform.codec import SESSION_SECONDS
from api.services import CodecSessions, Identity, Services
from infra.runtime import event_loop
from infra.runtime.database.connections import Database, Role, TimeSeriesStorage, database_url
from infra.runtime.http.limits import allow_many_descriptors, limited_config
from infra.runtime.logs import configure_logs
from infra.runtime.secrets import LocalSecretStore
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.telemetry import lesser_forms
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import EncryptionCodec, PayloadKey

ONE_ADMINISTRATOR = "governance: one administrator lifts a kill switch, no second person is asked"


def payload_keys(settings: Settings) -> list[PayloadKey]:
    """Return the keys of the payload codec, the one that encrypts first."""
    stored = LocalSecretStore(StateDirectory(settings.home).secrets).codec_keys()
    return [PayloadKey(key_id, secret) for key_id, secret in stored.items()]


async def compose(settings: Settings) -> Services:
    """Return the services over the installation's database and secrets."""
    database = Database(database_url(settings, Role.API), application="aether-api")
    storage = await database.time_series_storage()
    forms = lesser_forms(settings, hypertables=storage is TimeSeriesStorage.HYPERTABLES)
    keys = payload_keys(settings)
    return Services(
        settings=settings,
        database=database,
        journal=PostgresJournal(database),
        requests=PostgresRequests(database),
        codec=EncryptionCodec(keys),
        lesser_forms=[*forms, ONE_ADMINISTRATOR],
        codec_sessions=CodecSessions(SESSION_SECONDS),
        admission=EntryAdmission(
            None if settings.market_is_lockstep else ProtectionLoad(lambda: read_waiting(database))
        ),
        identity=Identity(database, Sealing([(key.key_id, key.secret) for key in keys])),
        market_followed=False,
    )


async def serve(settings: Settings) -> None:
    """Serve on loopback until stopped; Temporal is connected to as soon as it answers."""
    services = await compose(settings)
    keys = payload_keys(settings)

    async def reach_temporal() -> Client:
        return await connect(
            settings.temporal_target,
            settings.temporal_namespace,
            keys,
            tls=client_tls(settings),
        )

    config = limited_config(
        create_app(services, reach_temporal), settings.api_port, timeout_graceful_shutdown=5
    )
    allow_many_descriptors()
    event_loop.keep_what_is_loaded()
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serve until stopped."""
    settings = Settings()
    configure_logs("api", settings.log_level)
    event_loop.run(serve(settings))


if __name__ == "__main__":
    main()
