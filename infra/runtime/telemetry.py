"""What a process tells about itself: metrics for Prometheus and the degraded modes it runs in."""

from prometheus_client import Gauge

from infra.runtime.settings import Settings
from infra.runtime.temporal.access import open_access
from infra.stack.postgres_binaries import embedded_cluster, shared_user

DEGRADED_MODE = Gauge("aether_degraded_mode_count", "Parts running in a degraded mode")

LOCAL_SECRETS = "secrets: an encrypted local file instead of HashiCorp Vault"
MOUNTED_SECRETS = "secrets: mounted by Kubernetes; keys are put into the Secret, not uploaded here"
PLAIN_TABLES = "time series: plain PostgreSQL tables instead of TimescaleDB hypertables"
EMBEDDED_TEMPORAL = "workflows: Temporal's development server on SQLite instead of a cluster"
NEAR_WITNESS = "record: its witness remembers in the state directory (AETHER_WITNESS_DIRECTORY)"
EMBEDDED_POSTGRES = "database: embedded PostgreSQL without passwords, reached by its own user only"
ONE_PRICE = "prices: no second source confirms those of live entries (AETHER_SECOND_FEED)"


def degraded_modes(settings: Settings, *, hypertables: bool) -> list[str]:
    """Return every part that runs in a degraded mode, in words, and publish how many.

    Args:
        settings: tells which servers are embedded.
        hypertables: whether time series are TimescaleDB hypertables.
    """
    found = {"local": [LOCAL_SECRETS], "kubernetes": [MOUNTED_SECRETS]}.get(settings.secrets, [])
    found = [*found]
    if not hypertables:
        found.append(PLAIN_TABLES)
    if settings.temporal_address is None:
        found.append(EMBEDDED_TEMPORAL)
    if open_temporal := open_access(settings):
        found.append(open_temporal)
    if settings.database_url is None:
        found.append(EMBEDDED_POSTGRES)
        if shared := shared_user(embedded_cluster(settings.home)):
            found.append(shared)
    if settings.witness.resolve().is_relative_to(settings.home):
        found.append(NEAR_WITNESS)
    if settings.market == "kraken" and not settings.second_feed:
        found.append(ONE_PRICE)
    DEGRADED_MODE.set(len(found))
    return found
