"""What a process tells about itself: metrics for Prometheus and the lesser forms it runs in."""

from prometheus_client import Gauge

from infra.runtime.settings import Settings
from infra.runtime.temporal.access import open_access
from infra.stack.postgres_binaries import embedded_cluster, shared_user

LESSER_FORM = Gauge("aether_lesser_form_count", "Parts running in a lesser form than in production")

LOCAL_SECRETS = "secrets: an encrypted local file instead of HashiCorp Vault"
PLAIN_TABLES = "time series: plain PostgreSQL tables instead of TimescaleDB hypertables"
EMBEDDED_TEMPORAL = "workflows: Temporal's development server on SQLite instead of a cluster"
NEAR_WITNESS = "record: its witness remembers in the state directory (AETHER_WITNESS_DIRECTORY)"
EMBEDDED_POSTGRES = "database: embedded PostgreSQL without passwords, reached by its own user only"


def lesser_forms(settings: Settings, *, hypertables: bool) -> list[str]:
    """Return every part that runs in a lesser form, in words, and publish how many.

    Args:
        settings: tells which servers are embedded.
        hypertables: whether time series are TimescaleDB hypertables.
    """
    found = [LOCAL_SECRETS]
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
    LESSER_FORM.set(len(found))
    return found
