"""What the API takes and gives of settings and of what entries were decided by."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from activities.adapters.postgres.accounts.settings_journal import in_force
from api.messages.bodies import LARGEST_INTEGER, Name, Reason, RequestBody, bounded_by
from api.messages.schemas import CheckMade, Money, Row
from models.trading.account.entries.record import EntryRecord
from models.trading.account.settings.in_force import SettingsInForce, version_in_force
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.documents import definitions_of, json_schema
from models.trading.settings.records import export_values

_EXAMPLES = {
    SettingScope.ACCOUNT: ("risk.risk_share", "0.004"),
    SettingScope.PLATFORM: ("compliance.peg_tolerance", "0.005"),
}


def updates_schema(scope: SettingScope) -> Callable[[dict[str, Any]], None]:
    """Return what writes the settings of a scope into the schema of a change."""

    def write(schema: dict[str, Any]) -> None:
        known: dict[str, Any] = json_schema(definitions_of(scope))
        schema["properties"]["updates"] = known | {
            "minProperties": 1,
            "examples": [{_EXAMPLES[scope][0]: _EXAMPLES[scope][1]}],
        }

    return write


class ChangeSettings(RequestBody):
    """Values by name; all take effect or none. What lets more be lost needs ``confirm``."""

    updates: Annotated[dict[Name, Any], AfterValidator(bounded_by)] = Field(
        min_length=1, max_length=200, examples=[{"risk.risk_share": "0.004"}]
    )
    reason: Reason
    based_on: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_INTEGER,
        description="The version that the author saw; without it any.",
    )
    confirm: bool = Field(default=False, description="Needed for what is marked dangerous.")


class ChangeAccountSettings(ChangeSettings):
    """Values of an account's settings by name; all take effect or none."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=updates_schema(SettingScope.ACCOUNT)
    )


class ChangePlatformSettings(ChangeSettings):
    """Values of the platform's settings by name; all take effect or none."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=updates_schema(SettingScope.PLATFORM)
    )


class SettingsExport(BaseModel):
    """Settings as people keep them in files: values by name."""

    settings: dict[str, Any]


class SettingsChanged(BaseModel):
    """The version that a change made, and which of its values let more be lost."""

    version: int
    detail: str
    dangerous: list[str]


class SettingSchema(BaseModel):
    """The JSON schema of one setting; decimals are text, with their range in ``x-…``."""

    model_config = ConfigDict(extra="allow", serialize_by_alias=True)

    type: str
    description: str
    default: bool | int | str | list[str] | dict[str, str]
    unit: str = Field(alias="x-unit")
    dangerous: str = Field(alias="x-dangerous")


class SettingsSchema(BaseModel):
    """A JSON schema (2020-12) of an object that may hold any setting of a scope."""

    model_config = ConfigDict(serialize_by_alias=True)

    type: str
    additional_properties: bool = Field(alias="additionalProperties")
    properties: dict[str, SettingSchema]


class SettingsView(BaseModel):
    """All values in force by name; version zero are the defaults."""

    owner: str
    version: int
    values: dict[str, Any]
    author: str
    reason: str
    at: datetime | None


class Changed(BaseModel):
    """One value before and after."""

    name: str
    before: Any
    after: Any
    dangerous: bool


class SettingsVersionView(BaseModel):
    """One version: who made it, why, and what it changed."""

    version: int
    author: str
    reason: str
    approved_by: str | None
    at: datetime
    changes: list[Changed]


class Cap(Row):
    """One bound on the size, in base units."""

    name: str
    code: str
    quantity: Money


class Costs(Row):
    """Costs of the round trip as shares of the price, and where fees and slippage come from."""

    entry_fee: Money
    exit_fee: Money
    spread: Money
    entry_slippage: Money
    exit_slippage: Money
    fee_source: str
    slippage_source: str
    total: Money


class ExpectationView(Row):
    """What was expected before costs, as shares of the price; ``counted`` was compared with them.

    ``expected`` is the ``mean`` of the results shrunk towards zero, give or take ``spread``.
    """

    source: str
    results: int
    mean: Money
    expected: Money
    spread: Money
    counted: Money


class EntryAssessed(BaseModel):
    """What an entry was decided by; ``binding`` names the cap that its size comes from.

    ``basis`` is on what its worth rests, ``expectation`` what the evidence of its strategy let one
    expect, null where it rests on something else.
    """

    trade: int
    quantity: Money
    settings_version: int
    platform_version: int
    caps: list[Cap]
    binding: str | None
    costs: Costs | None
    checks: list[CheckMade]
    approval: CheckMade | None
    basis: str
    expectation: ExpectationView | None


def settings_view(owner: str, scope: SettingScope, row: Any) -> SettingsView:
    """Show the newest stored version, or the defaults where there is none."""
    if row is None:
        version = version_in_force(owner, scope, SettingsInForce())
        values = export_values(version)
        return SettingsView(
            owner=owner, version=0, values=values, author="aether", reason="defaults", at=None
        )
    return SettingsView(
        owner=owner,
        version=row.version,
        values=complete_values(owner, scope, row),
        author=row.author,
        reason=row.reason,
        at=row.at,
    )


def complete_values(owner: str, scope: SettingScope, row: Any) -> Mapping[str, Any]:
    """Return a stored version's values as the present release reads them."""
    return export_values(version_in_force(owner, scope, in_force(row)))


def version_view(row: Any) -> SettingsVersionView:
    """Show a stored version."""
    return SettingsVersionView(
        version=row.version,
        author=row.author,
        reason=row.reason,
        approved_by=row.approved_by,
        at=row.at,
        changes=[Changed.model_validate(change) for change in row.changes],
    )


def entry_view(record: EntryRecord) -> EntryAssessed:
    """Show what an entry was decided by."""
    checks = [CheckMade.model_validate(c, from_attributes=True) for c in record.verdict.checks]
    approval = record.approval
    return EntryAssessed(
        trade=record.trade,
        quantity=record.quantity,
        settings_version=record.settings_version,
        platform_version=record.platform_version,
        caps=[Cap.model_validate(cap) for cap in record.caps],
        binding=record.binding,
        costs=None if record.costs is None else Costs.model_validate(record.costs),
        checks=checks,
        approval=(
            None if approval is None else CheckMade.model_validate(approval, from_attributes=True)
        ),
        basis=record.basis.value,
        expectation=(
            None
            if record.expectation is None
            else ExpectationView.model_validate(record.expectation)
        ),
    )
