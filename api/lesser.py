"""Lesser forms that depend on what people have done so far, besides those of the processes."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from activities.adapters.postgres.market_rules_record import newest_version
from activities.market_rules import INSTALLATION
from api.services import Services

READ_SECONDS = 1.0
UNAPPROVED = "universe: approved by the installation at its first start, by no person yet"


async def all_lesser_forms(services: Services) -> list[str]:
    """Return every lesser form in use now; a record that does not answer adds none."""
    overload = services.admission.load.degraded()
    return [*overload, *services.lesser_forms, *await _standing(services)]


async def _standing(services: Services) -> list[str]:
    try:
        async with asyncio.timeout(READ_SECONDS), services.database.no_scope() as session:
            version = await newest_version(session)
    except (OSError, TimeoutError, SQLAlchemyError):
        return []
    return [UNAPPROVED] if version is not None and version.approved_by == INSTALLATION else []
