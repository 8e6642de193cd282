"""What runs on a schedule, how long orders take, and how much room the exchange's limits leave."""

import asyncio
import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from fastapi import APIRouter, Depends, Request
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import ScheduleListDescription
from temporalio.service import RPCError

from api.access.admission import allowed
from api.http.authentication import authenticate
from api.messages.overview import Headroom, ScheduleShown, StepTaken, SystemFigures
from api.services import Services, services_of
from models.trading.governance.rights import Action

router = APIRouter(prefix="/system", tags=["status"], dependencies=[Depends(authenticate)])

SCHEDULES_SECONDS: Final = 3.0
SCHEDULES_MOST: Final = 500
STEPS: Final = "aether_order_step_seconds"
READING: Final = "aether_rate_read_headroom_ratio"
TRADING: Final = "aether_rate_trading_headroom_ratio"
COOLING: Final = "aether_exchange_cool_down_seconds"

Samples = dict[str, list[tuple[dict[str, str], float]]]


@router.get("")
async def get_system(request: Request) -> SystemFigures:
    """Return schedules, order latencies and rate limits, as their processes tell them now."""
    services = services_of(request)
    names = await allowed(request, Action.ACCOUNT_READ, await services.database.accounts())
    (schedules, engine), (samples, trading) = await asyncio.gather(
        _schedules(services), _trading_metrics(services)
    )
    return SystemFigures(
        as_of=datetime.now(UTC),
        schedules=schedules,
        schedules_unknown=engine,
        steps=steps_of(samples),
        headroom=[headroom_of(samples, name) for name in names] if samples else [],
        trading_unknown=trading,
    )


async def _schedules(services: Services) -> tuple[list[ScheduleShown], str | None]:
    if services.client is None:
        return [], "the workflow engine has not been reached yet"
    found: list[ScheduleShown] = []
    try:
        async with asyncio.timeout(SCHEDULES_SECONDS):
            async for one in await services.client.list_schedules():
                found.append(_schedule(one))
                if len(found) == SCHEDULES_MOST:
                    break
    except (TimeoutError, RPCError) as error:
        return [], f"the workflow engine does not answer: {type(error).__name__}"
    return sorted(found, key=lambda row: row.name), None


def _schedule(one: ScheduleListDescription) -> ScheduleShown:
    info, kept = one.info, one.schedule
    recent = [action.started_at for action in info.recent_actions] if info else []
    upcoming = info.next_action_times if info else []
    return ScheduleShown(
        name=one.id,
        paused=kept is not None and kept.state.paused,
        note=(kept.state.note or "") if kept is not None else "",
        last_at=max(recent, default=None),
        next_at=min(upcoming, default=None),
    )


async def _trading_metrics(services: Services) -> tuple[Samples, str | None]:
    url = f"http://127.0.0.1:{services.settings.trading_metrics_port}/metrics"
    try:
        answer = await services.http.get(url)
        answer.raise_for_status()
        return samples_of(answer.text), None
    except (httpx.HTTPError, ValueError) as error:
        return {}, f"the trading process does not tell: {type(error).__name__}"


def samples_of(text: str) -> Samples:
    """Return the samples of a metrics page by their name.

    Raises:
        ValueError: it is none.
    """
    found: Samples = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append((dict(sample.labels), float(sample.value)))
    return dict(found)


def steps_of(samples: Samples) -> list[StepTaken]:
    """Return each step's bounds from its histogram; a step that was never taken is left out."""
    buckets: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for labels, count in samples.get(f"{STEPS}_bucket", []):
        key = labels.get("step", ""), labels.get("leg", "")
        buckets[key].append((float(labels["le"]), count))
    taken = []
    for (step, leg), found in sorted(buckets.items()):
        ordered = sorted(found)
        total = ordered[-1][1]
        if total > 0:
            half, most = (_bound(ordered, share * total) for share in (0.5, 0.95))
            taken.append(StepTaken(step=step, leg=leg, count=int(total), half=half, most=most))
    return taken


def _bound(ordered: list[tuple[float, float]], wanted: float) -> float | None:
    bound = next(upper for upper, count in ordered if count >= wanted)
    return bound if math.isfinite(bound) else None


def headroom_of(samples: Samples, account: str) -> Headroom:
    """Return what the limits on an account's key leave; what is not told is not known."""

    def read(name: str) -> list[float]:
        rows: list[tuple[dict[str, Any], float]] = list(samples.get(name, []))
        return [value for labels, value in rows if labels.get("account") == account]

    def share(name: str) -> float | None:
        values = [value for value in read(name) if math.isfinite(value)]
        return min(values, default=None)

    return Headroom(
        account=account,
        reading=share(READING),
        trading=share(TRADING),
        waiting_seconds=max((v for v in read(COOLING) if math.isfinite(v)), default=0.0),
    )
