"""Shapes of signing in, of people, and of what they sign in with."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.messages.bodies import RequestBody, bounded_by
from api.messages.schemas import Row
from models.trading.governance.names import NAME
from models.trading.governance.passwords import LONGEST
from models.trading.governance.rights import ALL_ACCOUNTS, Role

PersonName = Annotated[
    str,
    Field(
        min_length=2,
        max_length=63,
        pattern=NAME,
        description="What a person signs in with: small ASCII letters, digits and . _ @ -",
    ),
]
GivenName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"),
]
DisplayName = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
# Four bytes for each character at most; its real bounds are judged, and said, by the rules.
Password = Annotated[str, Field(min_length=1, max_length=4 * LONGEST)]
Secret = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
RecoveryCode = Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[0-9A-Za-z -]+$")]
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Credential = Annotated[dict[str, Any], BeforeValidator(bounded_by)]
Account = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^([a-z0-9][a-z0-9-]*|\*)$")]
UserId = Annotated[str, Path(max_length=20, pattern=r"^[0-9a-f]{20}$")]
PublicId = Annotated[str, Path(max_length=20, pattern=r"^[0-9a-f]{20}$")]


class SignIn(RequestBody):
    """Name and password; the answer is the same whether they are right or not."""

    name: GivenName
    password: Password


class SecondFactor(RequestBody):
    """One of a code, a recovery code, or what a passkey has signed."""

    code: Code | None = None
    recovery_code: RecoveryCode | None = None
    credential: Credential | None = None


class NextStep(BaseModel):
    """What has to follow: ``second-factor``, or ``enrolment`` for who has none yet.

    ``passkey`` are the options for the browser where the address can have passkeys.
    """

    step: str
    passkey: dict[str, Any] | None = None


class Link(RequestBody):
    """The secret of a link."""

    link: Secret


class Enrol(RequestBody):
    """Who sets themselves up by a link.

    ``name`` and ``display_name`` are for the first director; others have them already. After a
    reset the password is the one that the person has.
    """

    link: Secret
    name: PersonName | None = None
    display_name: DisplayName | None = None
    password: Password


class EnrolmentView(BaseModel):
    """What a link is for: ``first``, ``invitation``, ``reset`` or ``recovery``."""

    purpose: str
    name: str | None
    display_name: str | None


class GrantView(RequestBody):
    """A role for one account, or with ``*`` for all."""

    role: Role
    account: Account = ALL_ACCOUNTS


class Me(BaseModel):
    """Who has signed in, with which roles, and until when.

    ``needs_recovery_codes``: none is left, as after a restore, which makes them all void.
    """

    user: str
    name: str
    display_name: str
    grants: list[GrantView]
    session: str
    opened_at: datetime
    ends_at: datetime
    needs_recovery_codes: bool


class SessionView(Row):
    """A session that counts; ``current`` is the one that asks."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    session_id: str
    opened_at: datetime
    used_at: datetime
    address: str
    agent: str
    current: bool


class FactorView(Row):
    """A second factor; one not confirmed is not shown."""

    factor_id: str
    kind: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


class Factors(BaseModel):
    """A person's factors and how many recovery codes are left."""

    factors: list[FactorView]
    recovery_codes: int


class AddFactor(RequestBody):
    """What the factor is to be called."""

    label: Label = "authenticator"


class NewTotp(BaseModel):
    """A secret for an authenticator, shown this once; ``qr`` is an SVG image of ``uri``."""

    factor: str
    secret: str
    uri: str
    qr: str


class ConfirmTotp(RequestBody):
    """A code of the new factor."""

    code: Code


class FactorAdded(BaseModel):
    """A factor counts; the recovery codes are shown this once, where new ones were made."""

    step: str = "signed-in"
    recovery_codes: list[str] = []


class NewPasskey(BaseModel):
    """Options for ``navigator.credentials.create``."""

    options: dict[str, Any]


class FinishPasskey(RequestBody):
    """What the browser has made."""

    label: Label = "passkey"
    credential: Credential


class RecoveryCodes(BaseModel):
    """New recovery codes, shown this once."""

    recovery_codes: list[str]


class ChangePassword(RequestBody):
    """The password as it was, and as it is to be."""

    current: Password
    password: Password


class AskStepUp(RequestBody):
    """The one action that is to be confirmed: its operation, path and body."""

    operation: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z_]+$")]
    path: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^/[!-~]*$")]
    body: Annotated[dict[str, Any] | None, BeforeValidator(bounded_by)] = None


class StepUp(BaseModel):
    """What is to be confirmed: a passkey signs ``challenge``, the hash of all of it."""

    step_up: str
    operation: str
    path: str
    content: dict[str, str | None]
    nonce: str
    challenge: str
    passkey: dict[str, Any] | None


class ConfirmStepUp(RequestBody):
    """A code, or what a passkey has signed."""

    code: Code | None = None
    credential: Credential | None = None


class Confirmed(BaseModel):
    """The reference to send as ``Aether-Step-Up`` with the action, once and within five minutes.

    ``evidence`` says whether what was confirmed can be shown later.
    """

    reference: str
    expires_at: datetime
    method: str
    evidence: str


class MakeToken(RequestBody):
    """A token for a program: what it may do, to which accounts, and for how many days."""

    label: Label
    scopes: Annotated[
        list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=40)
    ]
    accounts: Annotated[list[Account], Field(min_length=1, max_length=100)]
    days: Annotated[int, Field(ge=1, le=90, strict=True)] = 30


class MadeToken(BaseModel):
    """The token, shown this once."""

    token_id: str
    token: str
    expires_at: datetime


class TokenView(Row):
    """An API token; of the token itself nothing is kept but a hash."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    token_id: str
    user_id: str
    label: str
    scopes: list[str]
    accounts: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class PersonView(BaseModel):
    """A person; ``user`` is written as the author of what they do and never changes."""

    user: str
    user_id: str
    name: str
    display_name: str
    grants: list[GrantView]
    factors: int
    created_at: datetime
    created_by: str
    signed_in_at: datetime | None
    disabled_at: datetime | None


class AuthorView(BaseModel):
    """Whom an author in the record is: ``user/…``, and what that person is called now."""

    user: str
    name: str
    display_name: str


class InvitePerson(RequestBody):
    """A new person and their roles; they choose a password by the link."""

    name: PersonName
    display_name: DisplayName
    grants: Annotated[list[GrantView], Field(min_length=1, max_length=50)]


class ChangePerson(RequestBody):
    """Another name, or other roles; what is not given stays."""

    name: PersonName | None = None
    display_name: DisplayName | None = None
    grants: Annotated[list[GrantView], Field(min_length=1, max_length=50)] | None = None


class LinkMade(BaseModel):
    """A link for somebody to set themselves up, shown this once."""

    user: str
    link: str


class Done(BaseModel):
    """Something was done."""

    done: bool = True


class RecoveryView(Row):
    """A director is to be let in again from the machine, unless somebody cancels it."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    recovery_id: str
    user_id: str
    asked_at: datetime
    asked_by: str
    effective_at: datetime
    kill_switch: int | None


class RightView(BaseModel):
    """One row of the table of rights."""

    action: str
    scope: str
    roles: list[str]
    tokens: bool
    tokens_of_the_machine_on_live_accounts: bool
    step_up: bool


class RightsTable(BaseModel):
    """The table of rights, and which action each operation takes."""

    rights: list[RightView]
    operations: dict[str, str]
