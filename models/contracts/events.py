"""What systems outside are told: CloudEvents 1.0 whose ``data`` has a versioned schema by kind.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md. Amounts are decimal numbers as
text. A field more is compatible; one less, or with another meaning, is a new version of its kind.
"""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict


class EventData(BaseModel):
    """Content of an event. Columns of the record that a kind does not name are left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    schema_version: ClassVar[int] = 1


class OrderEvent(EventData):
    """An order as it stands: from its intent on, again with each change."""

    account_id: str
    client_order_id: str
    order_id: str | None
    trade: int
    leg: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    status: str
    filled_quantity: Decimal
    average_price: Decimal
    cost: Decimal
    fee: Decimal
    reason: str | None
    intended_at: datetime
    acknowledged_at: datetime | None
    ended_at: datetime | None


class FillEvent(EventData):
    """An execution, as the exchange reported it."""

    account_id: str
    execution_id: str
    order_id: str
    trade: int | None
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    maker: bool
    exchange_time: datetime
    recorded_at: datetime


class TradeEvent(EventData):
    """A trade as it stands, again with each change; ``pnl`` is net of fees, of a settled one."""

    account_id: str
    number: int
    symbol: str
    phase: str
    source: str
    quantity: Decimal
    stop_price: Decimal
    take_profit_price: Decimal | None
    bought: Decimal
    sold: Decimal
    average_entry_price: Decimal | None
    average_exit_price: Decimal | None
    fees: Decimal
    pnl: Decimal | None
    exit_reason: str | None
    settings_version: int
    basis: str
    decided_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


class HaltsEvent(EventData):
    """Everything for which an account takes no entries, and its mode; empty when it takes some."""

    account_id: str
    mode: str
    halts: list[dict[str, Any]]


class IdeaEvent(EventData):
    """An idea as an account has judged it."""

    account_id: str
    idea_id: str
    strategy: str
    strategy_version: str
    symbol: str
    bar_start: datetime
    expires_at: datetime
    stop_price: Decimal
    take_profit_price: Decimal | None
    target_weight: Decimal | None
    allowed: bool
    trade: int | None
    decided_at: datetime


class SettingsEvent(EventData):
    """A version of an account's settings, of the platform's where there is no account."""

    account_id: str | None = None
    version: int
    changes: list[dict[str, Any]]
    author: str
    reason: str
    approved_by: str | None
    at: datetime


class KillSwitchEvent(EventData):
    """A kill switch, when it is engaged and when it is lifted."""

    number: int
    accounts: list[str]
    flatten: bool
    reason: str
    engaged_by: str
    engaged_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


KINDS: Final[dict[str, type[EventData]]] = {
    "order": OrderEvent,
    "fill": FillEvent,
    "trade": TradeEvent,
    "halts": HaltsEvent,
    "idea": IdeaEvent,
    "settings": SettingsEvent,
    "kill_switch": KillSwitchEvent,
}


class Event(BaseModel):
    """One event of an account, or of the platform.

    Attributes:
        installation: which platform tells it.
        epoch: begins anew with each restore from a backup.
        account: whose it is, ``platform`` for what concerns none.
        sequence: its number; within account and epoch it grows by one. A missing one was lost for
            want of room.
        kind: one of ``KINDS``.
        at: when it was committed, protocol time.
        content: the columns of the record as JSON text, so that no amount loses a digit.
    """

    model_config = ConfigDict(frozen=True)

    installation: str
    epoch: int
    account: str
    sequence: int
    kind: str
    at: datetime
    content: str

    @property
    def event_id(self) -> str:
        """Return the id: the same for the same event however often it is sent."""
        return f"{self.installation}/{self.epoch}/{self.account}/{self.sequence}"

    @property
    def subject(self) -> str:
        """Return the broker's subject; a dot or blank in an account's name would divide it."""
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in self.account)
        return f"aether.{safe}.{self.kind}"

    def document(self) -> dict[str, Any]:
        """Return the event as CloudEvents has it."""
        kind = KINDS[self.kind]
        data = kind.model_validate(json.loads(self.content, parse_float=Decimal))
        return {
            "specversion": "1.0",
            "id": self.event_id,
            "source": f"/aether/{self.installation}/{self.account}",
            "type": f"aether.{self.kind}.v{kind.schema_version}",
            "subject": self.account,
            "time": self.at.isoformat(),
            "datacontenttype": "application/json",
            "sequence": str(self.sequence),
            "data": data.model_dump(mode="json"),
        }


def schemas() -> dict[str, Any]:
    """Return the JSON schema of the data of every kind, by type."""
    return {
        f"aether.{name}.v{kind.schema_version}": kind.model_json_schema(mode="serialization")
        for name, kind in KINDS.items()
    }
