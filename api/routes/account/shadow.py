"""An account beside its shadow: a second decision path in simulation, on the same ideas."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from api.access.admission import require
from api.http import reading
from api.http.authentication import authenticate
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, Moment, PageSize
from api.queries.shadow import ShadowReport, decisions, report_view
from api.services import services_of
from models.trading.governance.rights import Action
from models.trading.risk.limits import Mode
from models.trading.strategies.shadow import compare

router = APIRouter(
    prefix="/accounts/{account}", tags=["shadow"], dependencies=[Depends(authenticate)]
)


@router.get("/shadows/{shadow}")
async def get_shadow_report(
    request: Request,
    account: AccountName,
    shadow: AccountName,
    *,
    since: Annotated[Moment | None, Query(description="Bars from this market time on")] = None,
    limit: PageSize = 200,
) -> ShadowReport:
    """Compare an account with one in simulation that follows the same ideas by its own settings.

    Decisions are matched by idea; differences in decisions, sizes, prices, fees and profit show.
    """
    database = services_of(request).database
    await require(request, Action.ACCOUNT_READ, shadow)
    for name in (account, shadow):
        await reading.require_account(database, name)
    if account == shadow or await PostgresModes(database).mode_of(shadow) is not Mode.SIMULATED:
        raise ProblemError(
            HTTPStatus.CONFLICT, "no-shadow", f"{shadow} is no other account in simulation."
        )
    found = compare(
        await decisions(database, account, since, limit),
        await decisions(database, shadow, since, limit),
    )
    return report_view(account, shadow, found)
