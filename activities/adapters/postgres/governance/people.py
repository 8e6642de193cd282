"""People: who there is, how they come in, and how they leave."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from activities.adapters.postgres.governance.calls import value_of
from activities.adapters.postgres.governance.sessions import (
    new_id,
    new_reference,
    reference_hash,
)
from infra.runtime.database.connections import Database
from models.trading.governance.rights import Grant

_DIRECTORY = text("SELECT actor, name, display_name FROM people_directory() ORDER BY actor")


@dataclass(frozen=True, slots=True)
class SigningIn:
    """What is needed to let a person in."""

    user_id: str
    display_name: str
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a link is for, and for whom, where somebody was meant."""

    purpose: str
    name: str | None
    display_name: str | None
    user_id: str | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who sets themselves up by a link."""

    name: str
    display_name: str
    password_hash: str | None


class PostgresPeople:
    """Needs a Database of the role ``aether_api``; what the machine does, of ``aether_admin``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_director(self) -> bool:
        """Tell whether there is a director of all accounts."""
        return bool(await self._call("has_director()"))

    async def named(self, name: str) -> SigningIn | None:
        """Return the person of a name, None when there is none."""
        row = await self._call("person_named(:name)", name=name)
        if row is None:
            return None
        return SigningIn(row["user_id"], row["display_name"], row["password_hash"])

    async def upgrade_password(self, user_id: str, old: str, new: str) -> None:
        """Replace a hash by one that is made as they are made today."""
        await self._call("upgrade_password(:user, :old, :new)", user=user_id, old=old, new=new)

    async def change_password(self, hashed: str, new: str, at: datetime) -> None:
        """Set the session's person another password; their other sessions end."""
        await self._call("change_password(:hash, :new, :at)", hash=hashed, new=new, at=at)

    async def enrolment(self, link: str, at: datetime) -> Enrolment | None:
        """Return what a link is for, None when it counts no more."""
        row = await self._call("enrolment_of(:link, :at)", link=reference_hash(link), at=at)
        if row is None:
            return None
        return Enrolment(row["purpose"], row["name"], row["display_name"], row["user_id"])

    async def enrol(
        self, link: str, person: NewPerson, at: datetime, address: str, agent: str
    ) -> tuple[str, str] | None:
        """Take a link; return the person's id and the reference of a session that may add a factor.

        None when the link counts no more, or the name is taken.
        """
        reference = new_reference()
        user_id = await self._call(
            "enrol(:link, :user, :name, :display, :password, :session, :id, :at, :address, :agent)",
            link=reference_hash(link),
            user=new_id(),
            name=person.name,
            display=person.display_name,
            password=person.password_hash,
            session=reference_hash(reference),
            id=new_id(),
            at=at,
            address=address,
            agent=agent,
        )
        return None if user_id is None else (str(user_id), reference)

    async def invite(
        self, hashed: str, name: str, display: str, grants: list[Grant], at: datetime
    ) -> tuple[str, str] | None:
        """Make a person; return their id and the link. None when the name is in use."""
        user_id, link = new_id(), new_reference()
        made = await self._call(
            "invite_person(:hash, :user, :name, :display, CAST(:roles AS text[]), "
            "CAST(:scopes AS text[]), :link, :at)",
            hash=hashed,
            user=user_id,
            name=name,
            display=display,
            link=reference_hash(link),
            at=at,
            **_grants(grants),
        )
        return (user_id, link) if made else None

    async def change(
        self,
        hashed: str,
        user_id: str,
        at: datetime,
        *,
        name: str | None = None,
        display: str | None = None,
        grants: list[Grant] | None = None,
    ) -> bool:
        """Rename a person or grant them other roles; False when there is none."""
        return bool(
            await self._call(
                "change_person(:hash, :user, :display, :name, CAST(:roles AS text[]), "
                "CAST(:scopes AS text[]), :at)",
                hash=hashed,
                user=user_id,
                display=display,
                name=name,
                at=at,
                **_grants(grants),
            )
        )

    async def disable(self, hashed: str, user_id: str, at: datetime) -> bool:
        """End a person's access for good, with all sessions and tokens."""
        return bool(
            await self._call("disable_person(:hash, :user, :at)", hash=hashed, user=user_id, at=at)
        )

    async def reset_factors(self, hashed: str, user_id: str, at: datetime) -> str | None:
        """Remove another person's factors; return the link by which they set up a new one."""
        link = new_reference()
        done = await self._call(
            "reset_factors(:hash, :user, :link, :at)",
            hash=hashed,
            user=user_id,
            link=reference_hash(link),
            at=at,
        )
        return link if done else None

    async def everybody(self, *, left: bool = False) -> list[dict[str, Any]]:
        """Return all people with their grants, oldest first; with ``left`` also who has left."""
        return list(await self._call("list_people(:left)", left=left))

    async def directory(self) -> list[tuple[str, str, str]]:
        """Return every author that is a person, with name and display name; who has left too."""
        rows = await self._database.call(_DIRECTORY)
        return [(row.actor, row.name, row.display_name) for row in rows]

    async def recoveries(self) -> list[dict[str, Any]]:
        """Return the recoveries that are under way."""
        return list(await self._call("list_recoveries()"))

    async def cancel_recovery(self, hashed: str, recovery: str, at: datetime) -> bool:
        """Stop a recovery; False when there is none under way."""
        return bool(
            await self._call("cancel_recovery(:hash, :id, :at)", hash=hashed, id=recovery, at=at)
        )

    async def first_link(self, at: datetime, by: str) -> str | None:
        """Make the link of the first start; None when there is a director."""
        link = new_reference()
        made = await self._call(
            "make_first_link(:link, :at, :by)", link=reference_hash(link), at=at, by=by
        )
        return link if made else None

    async def bring(
        self, name: str, display: str, password: str, grants: list[Grant], at: datetime, by: str
    ) -> bool:
        """Bring a person from elsewhere; False when the name is known, who stays as they are."""
        return bool(
            await self._call(
                "import_person(:user, :name, :display, :password, CAST(:roles AS text[]), "
                "CAST(:scopes AS text[]), :at, :by)",
                user=new_id(),
                name=name,
                display=display,
                password=password,
                at=at,
                by=by,
                **_grants(grants),
            )
        )

    async def revoke_leaked(self, tokens: list[str], at: datetime, by: str) -> list[str]:
        """Make tokens worthless that were found where they should not be; return whose."""
        hashes = [reference_hash(token) for token in tokens]
        return list(
            await self._call(
                "revoke_leaked(CAST(:hashes AS text[]), :at, :by)", hashes=hashes, at=at, by=by
            )
        )

    async def ask_recovery(self, name: str, at: datetime, by: str) -> dict[str, Any] | None:
        """Ask to let a director in again; None when nobody of that name is one."""
        found: dict[str, Any] | None = await self._call(
            "ask_recovery(:id, :name, :at, :by)", id=new_id(), name=name, at=at, by=by
        )
        return found

    async def take_recovery(self, recovery: str, at: datetime, by: str) -> str | None:
        """Return the link of a recovery whose time has come; None while it has not."""
        link = new_reference()
        person = await self._call(
            "take_recovery(:id, :link, :at, :by)",
            id=recovery,
            link=reference_hash(link),
            at=at,
            by=by,
        )
        return None if person is None else link

    async def _call(self, call: str, **values: Any) -> Any:
        return await value_of(self._database, call, values)


def _grants(grants: list[Grant] | None) -> dict[str, list[str] | None]:
    if grants is None:
        return {"roles": None, "scopes": None}
    return {
        "roles": [grant.role.value for grant in grants],
        "scopes": [grant.account for grant in grants],
    }
