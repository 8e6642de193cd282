"""What the API's routes work with, composed once per process."""

import time
from dataclasses import dataclass, field

from fastapi import Request
from temporalio.client import Client

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.requests import PostgresRequests
from infra.runtime.codec import EncryptionCodec
from infra.runtime.database import Database
from infra.runtime.settings import Settings

PRINCIPALS_SECONDS = 5.0
"""How long a revoked token may still be honoured by a process that has just seen it."""


@dataclass
class Services:
    """Connections and stores; ``client`` is None while Temporal has not been reached."""

    settings: Settings
    database: Database
    journal: PostgresJournal
    requests: PostgresRequests
    codec: EncryptionCodec
    lesser_forms: list[str]
    client: Client | None = None
    principals: dict[str, tuple[str, str]] = field(default_factory=dict)
    codec_sessions: dict[str, float] = field(default_factory=dict)
    _principals_at: float = 0.0

    def principals_are_old(self) -> bool:
        """Tell whether the tokens must be read again."""
        return time.monotonic() - self._principals_at > PRINCIPALS_SECONDS

    def remember_principals(self, principals: dict[str, tuple[str, str]]) -> None:
        """Keep the tokens just read."""
        self.principals = principals
        self._principals_at = time.monotonic()


def services_of(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    services: Services = request.app.state.services
    return services
