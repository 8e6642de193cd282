"""What every process of an installation needs to speak with it: its secrets and its Temporal."""

from functools import partial

from temporalio.client import Client
from temporalio.runtime import Runtime

from infra.runtime.secrets import InstallationSecrets, installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import KeyRing, PayloadKey
from infra.runtime.temporal.logged_steps import LoggedSteps


def secret_store(settings: Settings) -> InstallationSecrets:
    """Return the installation's secrets."""
    return installation_secrets(settings)


def payload_keys(settings: Settings) -> list[PayloadKey]:
    """Return the keys of the payload codec, the one that encrypts first."""
    keys = secret_store(settings).codec_keys()
    return [PayloadKey(key_id, secret) for key_id, secret in keys.items()]


async def connect_temporal(settings: Settings, runtime: Runtime | None = None) -> Client:
    """Connect to the installation's Temporal with its converter and codec."""
    keys = KeyRing(payload_keys(settings), partial(payload_keys, settings))
    return await connect(
        settings.temporal_target,
        settings.temporal_namespace,
        keys,
        runtime,
        tls=client_tls(settings),
        interceptors=[LoggedSteps()],
    )
