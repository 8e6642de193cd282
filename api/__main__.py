"""The API's process: ``python -m api``."""

from datetime import UTC, datetime
from functools import partial

import uvicorn
from temporalio.client import Client

from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import LiveGate
from activities.adapters.kraken.rest.key_check import KrakenKeyValidator
from activities.adapters.kraken.rest.nonce import FileKeyLock, SeveralLocks
from activities.adapters.people.sealing import Sealing
from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.protection_waiting import read_waiting
from activities.adapters.postgres.requests import PostgresRequests
from activities.adapters.stored_secrets import StoredSecrets
from activities.execution.protection_load import ProtectionLoad
from activities.keys.care import ExchangeKeys
from api.app import create_app
from api.http.admission import EntryAdmission
from api.routes.platform.codec import SESSION_SECONDS
from api.services import CodecSessions, Identity, Services
from infra.runtime import event_loop
from infra.runtime.cache_directory import keys_in_use
from infra.runtime.database.connections import Database, Role, TimeSeriesStorage, database_url
from infra.runtime.http.limits import allow_many_descriptors, limited_config
from infra.runtime.logs import configure_logs
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.telemetry import degraded_modes
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import EncryptionCodec, KeyRing, PayloadKey
from infra.runtime.traces.sending import open_traces


def payload_keys(settings: Settings) -> list[PayloadKey]:
    """Return the keys of the payload codec, the one that encrypts first."""
    stored = installation_secrets(settings).codec_keys()
    return [PayloadKey(key_id, secret) for key_id, secret in stored.items()]


async def compose(settings: Settings) -> Services:
    """Return the services over the installation's database and secrets."""
    database = Database(database_url(settings, Role.API), application="aether-api")
    storage = await database.time_series_storage()
    modes = degraded_modes(settings, hypertables=storage is TimeSeriesStorage.HYPERTABLES)
    keys = payload_keys(settings)
    return Services(
        settings=settings,
        database=database,
        journal=PostgresJournal(database),
        requests=PostgresRequests(database),
        codec=EncryptionCodec(KeyRing(keys, partial(payload_keys, settings))),
        degraded_modes=modes,
        codec_sessions=CodecSessions(SESSION_SECONDS),
        admission=EntryAdmission(
            None if settings.market_is_lockstep else ProtectionLoad(lambda: read_waiting(database))
        ),
        identity=Identity(database, Sealing([(key.key_id, key.secret) for key in keys])),
        market_followed=False,
        keys=exchange_keys(settings, database),
        secrets=installation_secrets(settings),
    )


def exchange_keys(settings: Settings, database: Database) -> ExchangeKeys:
    """Return what takes exchange keys in: record, store, and the exchanges that know them."""
    directory = settings.home / "keys"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    addresses = ExchangeAddresses(
        settings.exchange_url, settings.exchange_public_ws, settings.exchange_private_ws
    )
    return ExchangeKeys(
        PostgresExchangeKeys(database),
        StoredSecrets(installation_secrets(settings)),
        KrakenKeyValidator(
            addresses,
            LiveGate(),
            directory,
            key_lock=lambda name: SeveralLocks(
                FileKeyLock(directory / f"{name}.lock"),
                FileKeyLock(keys_in_use() / f"{name}.lock"),
            ),
        ),
        lambda: datetime.now(UTC),
    )


async def serve(settings: Settings) -> None:
    """Serve on loopback until stopped; Temporal is connected to as soon as it answers."""
    services = await compose(settings)
    keys = KeyRing(payload_keys(settings), partial(payload_keys, settings))

    async def reach_temporal() -> Client:
        return await connect(
            settings.temporal_target,
            settings.temporal_namespace,
            keys,
            tls=client_tls(settings),
        )

    traces = open_traces(settings, "api")
    config = limited_config(
        create_app(services, reach_temporal, traces), settings.api_port, timeout_graceful_shutdown=5
    )
    allow_many_descriptors()
    event_loop.keep_what_is_loaded()
    await uvicorn.Server(config).serve()
    if traces is not None:
        traces.close()


def main() -> None:
    """Serve until stopped."""
    settings = Settings()
    configure_logs("api", settings.log_level)
    event_loop.run(serve(settings))


if __name__ == "__main__":
    main()
