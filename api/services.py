"""What the API's routes work with, composed once per process."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from fastapi import Request
from temporalio.client import Client

from activities.adapters.notify.desk import NotificationDesk
from activities.adapters.people.passwords import Passwords
from activities.adapters.people.sealing import Sealing
from activities.adapters.postgres.governance.factors import PostgresFactors
from activities.adapters.postgres.governance.failures import PostgresFailures
from activities.adapters.postgres.governance.people import PostgresPeople
from activities.adapters.postgres.governance.sessions import PersonSession, PostgresSessions
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.record.packs import PostgresPacks
from activities.adapters.postgres.requests import PostgresRequests
from activities.keys.care import ExchangeKeys
from api.access.limits import CallerLimits
from api.http.admission import EntryAdmission
from infra.runtime.database.connections import Database
from infra.runtime.secrets import InstallationSecrets
from infra.runtime.settings import Settings
from infra.runtime.temporal.codec import EncryptionCodec
from models.trading.governance.rights import CallerKind, Rights

if TYPE_CHECKING:
    from api.live.hub import Hub

Packs = PostgresPacks
"""Routes see it by this name."""

TOKEN_SECONDS = 5.0
"""How long a revoked token may still be honoured by a process that has just seen it."""
PROBE_SECONDS = 1.0
DENIAL_SECONDS = 60.0
NO_RIGHTS = Rights(CallerKind.MACHINE, ())


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller.

    Attributes:
        name: who is written as the author: a token's name, or ``user/`` and the id of a person,
            which stays the same whatever the person is called.
        role: of a token made on the machine; what a person may do is in ``rights``.
        rights: what the caller has been granted.
        credential: hash of the token or session reference that was shown.
        session: of a person who has signed in.
    """

    name: str
    role: str
    rights: Rights = NO_RIGHTS
    credential: str = ""
    session: PersonSession | None = None

    @property
    def is_person(self) -> bool:
        """Tell whether a person has signed in, and not a token been shown."""
        return self.rights.kind is CallerKind.PERSON


class KnownTokens:
    """Tokens seen lately, by their hash, so that not every request asks the database."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Principal, float]] = {}

    def get(self, hashed: str) -> Principal | None:
        """Return whose token it is, None when it must be looked up (again)."""
        principal, until = self._seen.get(hashed, (None, 0.0))
        return principal if time.monotonic() < until else None

    def remember(self, hashed: str, principal: Principal | None) -> None:
        """Keep what was looked up; None when the token is worth nothing."""
        if principal is None:
            self._seen.pop(hashed, None)
        else:
            self._seen[hashed] = (principal, time.monotonic() + TOKEN_SECONDS)


class CodecSessions:
    """Browsers that may have payloads decrypted, each by the token that it showed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sessions: dict[str, tuple[str, float]] = {}

    def open(self, session: str, hashed: str) -> None:
        """Begin a session; those that have expired are forgotten."""
        now = time.monotonic()
        self._sessions = {s: held for s, held in self._sessions.items() if held[1] > now}
        self._sessions[session] = (hashed, now + self._seconds)

    def token_of(self, session: str) -> str | None:
        """Return the hash of a session's token, None when it is unknown or has expired."""
        hashed, until = self._sessions.get(session, (None, 0.0))
        return hashed if time.monotonic() < until else None


class RecentDenials:
    """Refusals audited lately: whoever tries the same again and again is one row a minute."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], float] = {}

    def is_new(self, what: tuple[str, ...]) -> bool:
        """Tell whether a refusal is to be audited, and note that it was."""
        now = time.monotonic()
        if self._seen.get(what, 0.0) > now:
            return False
        self._seen = {key: until for key, until in self._seen.items() if until > now}
        self._seen[what] = now + DENIAL_SECONDS
        return True

    def forget(self, what: tuple[str, ...]) -> None:
        """Take back that something was audited: its row could not be written."""
        self._seen.pop(what, None)


class Identity:
    """How people are known: their stores, and what hashes and seals."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self.sealing = sealing
        self.passwords = Passwords()
        self.people = PostgresPeople(database)
        self.sessions = PostgresSessions(database)
        self.factors = PostgresFactors(database)
        self.failures = PostgresFailures(database)


def loopback_client() -> httpx.AsyncClient:
    """Return a client for the platform's own processes: no proxy, no certificates to load."""
    return httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False, verify=False)  # noqa: S501  # plain HTTP on loopback


@dataclass
class Services:
    """Connections and stores.

    Attributes:
        admission: lets entries in while protection keeps up.
        identity: how people are known.
        keys: takes exchange keys in; None where there is no store of secrets.
        secrets: the store, asked whether it can be read.
        client: Temporal's, None while it has not been reached.
        market_followed: whether the market worker answers. Without it prices stand still, and no
            entry may be judged by them.
        limits: how many requests each caller may send.
        engagements_due: set when the workflow of a kill switch may still have to be started.
    """

    settings: Settings
    database: Database
    journal: PostgresJournal
    requests: PostgresRequests
    codec: EncryptionCodec
    degraded_modes: list[str]
    codec_sessions: CodecSessions
    admission: EntryAdmission
    identity: Identity
    client: Client | None = None
    keys: ExchangeKeys | None = None
    secrets: InstallationSecrets | None = None
    market_followed: bool = True
    tokens: KnownTokens = field(default_factory=KnownTokens)
    denials: RecentDenials = field(default_factory=RecentDenials)
    engagements_due: asyncio.Event = field(default_factory=asyncio.Event)
    http: httpx.AsyncClient = field(default_factory=loopback_client)
    hub: "Hub | None" = None
    limits: CallerLimits = field(init=False)

    def __post_init__(self) -> None:
        """Count callers from here on."""
        self.limits = CallerLimits(self.settings)

    @property
    def packs(self) -> PostgresPacks:
        """Return the evidence packs that people have asked for."""
        return PostgresPacks(self.database)

    @property
    def notifications(self) -> NotificationDesk:
        """Return where notifications are begun and seen."""
        return NotificationDesk(self.settings, self.database)

    def live(self) -> "Hub":
        """Return what hands out live data; it runs as long as the application does."""
        if self.hub is None:
            raise RuntimeError("the application has not been started")
        return self.hub

    async def close(self) -> None:
        """Release every connection."""
        await self.http.aclose()
        await self.database.close()


def services_of(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    services: Services = request.app.state.services
    return services
