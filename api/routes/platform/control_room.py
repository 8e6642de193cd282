"""What the control room's first page shows, in one answer."""

from fastapi import APIRouter, Depends, Request

from api.access.admission import allowed
from api.http.authentication import authenticate
from api.messages.control_room import ControlRoom
from api.queries.control_room import control_room, read_health
from api.services import services_of
from models.trading.governance.rights import Action

router = APIRouter(
    prefix="/control-room", tags=["control room"], dependencies=[Depends(authenticate)]
)


@router.get("")
async def get_control_room(request: Request) -> ControlRoom:
    """Return every account's figures beside its limits, prices, processes and degraded modes."""
    services = services_of(request)
    names = await allowed(request, Action.ACCOUNT_READ, await services.database.accounts())
    return await control_room(services, await read_health(services), names)
