"""What the API takes and gives of exchange keys. A key comes in once and never goes out."""

import hashlib
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr, field_serializer

from activities.ports.secrets import KeptKey
from api.messages.bodies import RequestBody
from models.trading.governance.exchange_keys import IN_USE, KEY_LIFE, age, is_due
from models.trading.risk.limits import Mode

LONGEST = 256
"""Characters of a key: Kraken's have 56 and 88."""

Hidden = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]


class UploadKey(RequestBody):
    """A key of the exchange with its private half, and what it is for."""

    mode: Mode
    key: Hidden
    private_key: Hidden

    @field_serializer("key", "private_key", when_used="json")
    def _hashed(self, hidden: SecretStr) -> str:
        """Stand for a secret in the hash by which another body is recognised."""
        return hashlib.sha256(hidden.get_secret_value().encode()).hexdigest()


class KeyView(BaseModel):
    """What is known of a key.

    ``state`` is in_use, replaced or removed. ``validation`` is ok or the code of what is wrong.
    ``trading_since`` is when the trading process took it up, null before. ``due`` tells that it is
    old enough to be rotated.
    """

    account: str
    mode: Mode
    number: int
    ending: str
    state: str
    stored_at: datetime
    stored_by: str
    ended_at: datetime | None
    age_days: int
    due: bool
    rotate_after_days: int
    permissions: list[str]
    validated_at: datetime
    validation: str
    trading_since: datetime | None

    @classmethod
    def of(cls, key: KeptKey, now: datetime) -> Self:
        """Return what people see of a key."""
        in_use = key.state == IN_USE
        return cls(
            account=key.account,
            mode=key.mode,
            number=key.number,
            ending=key.ending,
            state=key.state,
            stored_at=key.stored_at,
            stored_by=key.stored_by,
            ended_at=key.ended_at,
            age_days=age(key.stored_at, key.ended_at or now).days,
            due=in_use and is_due(key.stored_at, now),
            rotate_after_days=KEY_LIFE.days,
            permissions=sorted(key.permissions),
            validated_at=key.validated_at,
            validation=key.validation,
            trading_since=key.trading_since,
        )
