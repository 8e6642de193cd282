"""How far the champion's features have moved, as the record of the nightly run has it."""

import json

from sqlalchemy import text

from api.messages.learning import DriftView, FeatureDrift
from infra.runtime.database.connections import PLATFORM_SCOPE, Database

OLD_AFTER_HOURS = 48
"""Two nights: one may be missed while the platform is stopped."""
_NEWEST = text(
    """SELECT c.model, a.recorded_at, a.details,
              extract(epoch FROM now() - a.recorded_at)::float8 / 3600 AS hours
       FROM (SELECT model FROM champions ORDER BY number DESC LIMIT 1) c
       LEFT JOIN LATERAL (
           SELECT recorded_at, details FROM audit_log
           WHERE account_id = 'platform' AND action = 'drift_measured'
           ORDER BY sequence DESC LIMIT 1) a ON true"""
)


async def drift(database: Database) -> DriftView:
    """Return what was measured last; what is old, or of another champion, is not known."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        row = (await session.sql(_NEWEST)).one()
    details = row.details or {}
    measured = [
        FeatureDrift(feature=name, index=index, limit=limit, moved=index > limit)
        for name, index, limit in json.loads(details.get("features", "[]"))
    ]
    why = _unknown(row.model, details, row.hours)
    return DriftView(
        model=row.model,
        measured_at=row.recorded_at,
        vectors=0 if why else int(details["vectors"]),
        features=[] if why else sorted(measured, key=lambda one: one.limit - one.index),
        unknown=why,
    )


def _unknown(model: str, details: dict[str, str], hours: float | None) -> str:
    if hours is None:
        return "no nightly run has measured it yet"
    if details["model"] != model:
        return f"it was measured of {details['model']}, which is champion no more"
    if hours > OLD_AFTER_HOURS:
        return f"it was measured {hours:.0f} hours ago: no nightly run has ended since"
    return details["unknown"]
