"""Second factors, recovery codes and confirmations of single actions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from activities.adapters.postgres.governance.calls import value_of
from activities.adapters.postgres.governance.sessions import (
    moment,
    new_id,
    new_reference,
    optional_moment,
    reference_hash,
)
from infra.runtime.database.connections import Database

TOTP, PASSKEY = "totp", "passkey"


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a person, confirmed or not yet; ``codes`` counts the unused recovery codes."""

    factor_id: str
    user_id: str
    kind: str
    label: str
    secret: str | None
    credential_id: str | None
    public_key: str | None
    sign_count: int
    last_step: int | None
    created_at: datetime
    confirmed_at: datetime | None
    last_used_at: datetime | None
    codes: int


@dataclass(frozen=True, slots=True)
class AskedStepUp:
    """A confirmation that has been asked for; ``challenge`` is the hash in hexadecimal."""

    step_up_id: str
    purpose: str
    subject: str
    content: str
    nonce: str
    challenge: str


class PostgresFactors:
    """Needs a Database of the role ``aether_api``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def factors(self, user_id: str) -> list[Factor]:
        """Return a person's factors, oldest first, with one not confirmed yet."""
        return [_factor(row) for row in await self._call("factors_of(:user)", user=user_id)]

    async def add_totp(
        self, hashed: str, label: str, sealed: str, factor: str, at: datetime
    ) -> None:
        """Note a secret that is yet to be confirmed by a code."""
        await self._add(hashed, factor, TOTP, label, at, secret=sealed)

    async def add_passkey(
        self, hashed: str, label: str, credential: str, public_key: str, count: int, at: datetime
    ) -> bool:
        """Add a passkey, which its registration has confirmed."""
        factor = new_id()
        await self._add(
            hashed, factor, PASSKEY, label, at, credential=credential, key=public_key, count=count
        )
        return await self.confirm(hashed, factor, None, at)

    async def confirm(self, hashed: str, factor: str, step: int | None, at: datetime) -> bool:
        """Let a factor count from now on."""
        return bool(
            await self._call(
                "confirm_factor(:hash, :factor, CAST(:step AS bigint), :at)",
                hash=hashed,
                factor=factor,
                step=step,
                at=at,
            )
        )

    async def use(
        self, factor: str, at: datetime, *, step: int | None = None, count: int | None = None
    ) -> bool:
        """Note that a factor was shown; False when its step or counter was seen before."""
        return bool(
            await self._call(
                "use_factor(:factor, CAST(:step AS bigint), CAST(:count AS bigint), :at)",
                factor=factor,
                step=step,
                count=count,
                at=at,
            )
        )

    async def remove(self, hashed: str, factor: str, at: datetime) -> bool:
        """Remove a factor of the session's person; False for the only one, or none."""
        return bool(
            await self._call(
                "remove_factor(:hash, :factor, :at)", hash=hashed, factor=factor, at=at
            )
        )

    async def replace_codes(self, hashed: str, codes: list[str], at: datetime) -> None:
        """Store the hashes of new recovery codes; earlier ones count no more."""
        await self._call(
            "replace_recovery_codes(:hash, CAST(:codes AS text[]), :at)",
            hash=hashed,
            codes=codes,
            at=at,
        )

    async def use_code(self, user_id: str, code: str, at: datetime) -> bool:
        """Take a recovery code by its hash, once."""
        return bool(
            await self._call("use_recovery_code(:user, :code, :at)", user=user_id, code=code, at=at)
        )

    async def ask_step_up(self, hashed: str, asked: AskedStepUp, at: datetime) -> None:
        """Note what is to be confirmed."""
        await self._call(
            "ask_step_up(:hash, :id, :purpose, :subject, :content, :nonce, :challenge, :at)",
            hash=hashed,
            id=asked.step_up_id,
            purpose=asked.purpose,
            subject=asked.subject,
            content=asked.content,
            nonce=asked.nonce,
            challenge=asked.challenge,
            at=at,
        )

    async def asked_step_up(self, hashed: str, step_up: str, at: datetime) -> AskedStepUp | None:
        """Return what is to be confirmed, None when it was or is too old."""
        row = await self._call("step_up_asked(:hash, :id, :at)", hash=hashed, id=step_up, at=at)
        if row is None:
            return None
        return AskedStepUp(
            row["step_up_id"],
            row["purpose"],
            row["subject"],
            row["content"],
            row["nonce"],
            row["challenge"],
        )

    async def confirm_step_up(
        self, hashed: str, step_up: str, method: str, evidence: dict[str, Any], at: datetime
    ) -> str | None:
        """Note that an action was confirmed, and return the reference that is shown with it."""
        reference = new_reference()
        done = await self._call(
            "confirm_step_up(:hash, :id, :method, :evidence, :reference, :at)",
            hash=hashed,
            id=step_up,
            method=method,
            evidence=Jsonb(evidence),
            reference=reference_hash(reference),
            at=at,
        )
        return reference if done else None

    async def take_step_up(
        self, hashed: str, reference: str, purpose: str, subject: str, used_for: str, at: datetime
    ) -> dict[str, Any] | None:
        """Use a confirmation for its action, once (a repeat of the same request finds it again)."""
        found: dict[str, Any] | None = await self._call(
            "take_step_up(:hash, :reference, :purpose, :subject, :used_for, :at)",
            hash=hashed,
            reference=reference_hash(reference),
            purpose=purpose,
            subject=subject,
            used_for=used_for,
            at=at,
        )
        return found

    async def _add(
        self,
        hashed: str,
        factor: str,
        kind: str,
        label: str,
        at: datetime,
        *,
        secret: str | None = None,
        credential: str | None = None,
        key: str | None = None,
        count: int | None = None,
    ) -> None:
        await self._call(
            "add_factor(:hash, :factor, :kind, :label, :secret, :credential, :key, "
            "CAST(:count AS bigint), :at)",
            hash=hashed,
            factor=factor,
            kind=kind,
            label=label,
            secret=secret,
            credential=credential,
            key=key,
            count=count,
            at=at,
        )

    async def _call(self, call: str, **values: Any) -> Any:
        return await value_of(self._database, call, values)


def _factor(row: dict[str, Any]) -> Factor:
    return Factor(
        factor_id=row["factor_id"],
        user_id=row["user_id"],
        kind=row["kind"],
        label=row["label"],
        secret=row["secret"],
        credential_id=row["credential_id"],
        public_key=row["public_key"],
        sign_count=row["sign_count"] or 0,
        last_step=row["last_step"],
        created_at=moment(row["created_at"]),
        confirmed_at=optional_moment(row["confirmed_at"]),
        last_used_at=optional_moment(row["last_used_at"]),
        codes=row["codes"],
    )
