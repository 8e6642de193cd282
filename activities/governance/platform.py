"""What a change of the platform comes to: read what stands, decide by the domain's rules, record.

One workflow asks, one request at a time; every step may be repeated and comes to the same.
"""

import json
from dataclasses import replace

from temporalio import activity

from activities.failures import typed_failures
from activities.ports.platform import MadeVersion, PlatformRecord, WantedUniverse
from activities.ports.rules import UniverseAuthorship
from models.contracts.platform import (
    ChangePlatformSettings,
    ChangeUniverse,
    PlatformDecided,
    SettlePlatformApproval,
)
from models.trading.answers import WAITING, Answer
from models.trading.governance.approval import FROZEN, ApprovalStatus
from models.trading.governance.approval import PLATFORM as ACTOR
from models.trading.governance.freeze import tightens
from models.trading.governance.platform_changes import (
    approved_change,
    request_for_person,
    request_for_universe,
)
from models.trading.governance.rights import PLATFORM
from models.trading.governance.subject_contents import UniverseContent, read_content
from models.trading.governance.subjects import Subject
from models.trading.settings.versions import ChangeRequest, decide_change
from models.trading.universe.changes import (
    UniverseChange,
    apply_change,
    judge_universe_change,
    without_approval,
)
from models.trading.verdicts import Verdict


class PlatformActivities:
    """Change settings and universe of the platform."""

    def __init__(self, record: PlatformRecord) -> None:
        self._record = record

    @activity.defn
    async def change_platform_settings(self, request: ChangePlatformSettings) -> PlatformDecided:
        """Make the next version of the settings, or have another person decide."""
        try:
            updates = json.loads(request.updates)
        except (ValueError, RecursionError):
            updates = None
        if not isinstance(updates, dict):
            detail = "the updates are no object of values by name"
            return PlatformDecided(Answer(request.request_id, "invalid-setting", detail))
        with typed_failures():
            current = await self._record.settings()
            wanted = ChangeRequest(
                updates=updates,
                author=request.by,
                reason=request.reason,
                at=request.at,
                based_on=current.version if request.based_on is None else request.based_on,
                confirmed=request.confirmed,
                live=await self._record.trades_live(),
            )
            return await self._change(request.request_id, wanted, held=True)

    @activity.defn
    async def change_universe(self, request: ChangeUniverse) -> PlatformDecided:
        """Write down a change of the universe that waits for another person, if it can be made."""
        with typed_failures():
            standing = await self._record.universe()
            change = UniverseChange(
                standing.universe.version + 1,
                request.by,
                "",
                request.reason,
                request.at,
                request.joins,
                request.leaves,
            )
            verdict = without_approval(
                judge_universe_change(standing.universe, standing.proposal, change)
            )
            if not verdict.allowed:
                return PlatformDecided(_refused(request.request_id, verdict))
            asked = request_for_universe(request.request_id, change)
            wanted = WantedUniverse(
                request.request_id,
                asked.request_id,
                request.by,
                request.reason,
                change.version,
                standing.number,
                request.joins,
                request.leaves,
                request.at,
            )
            number = await self._record.save_wanted(wanted)
        asked = request_for_universe(request.request_id, change, number)
        detail = f"another person decides on change {number}"
        answer = Answer(request.request_id, WAITING, detail, approval=asked.request_id)
        return PlatformDecided(answer, ask=asked)

    @activity.defn
    async def settle_platform_approval(self, request: SettlePlatformApproval) -> PlatformDecided:
        """Carry out what another person has decided on."""
        with typed_failures():
            request = await self._proven(request)
            if request.asked.subject is Subject.UNIVERSE:
                return await self._settle_universe(request)
            return await self._settle_settings(request)

    async def _proven(self, request: SettlePlatformApproval) -> SettlePlatformApproval:
        """Refuse what the record knows of no approval of, whoever tells of one."""
        fact = request.fact
        if fact.status is not ApprovalStatus.APPROVED or await self._record.was_authenticated(
            PLATFORM, request.asked.request_id, fact.by, request.asked.content
        ):
            return request
        return replace(request, fact=replace(fact, status=ApprovalStatus.REFUSED))

    async def _settle_settings(self, request: SettlePlatformApproval) -> PlatformDecided:
        name, status = request.request_id, request.fact.status
        if status is not ApprovalStatus.APPROVED:
            return PlatformDecided(Answer(name, "accepted", f"nothing changes: {status.value}"))
        try:
            change = approved_change(request.asked, request.fact)
        except ValueError as error:
            return PlatformDecided(Answer(name, "invalid-change", str(error)))
        return await self._change(name, change)

    async def _change(
        self, request_id: str, wanted: ChangeRequest, *, held: bool = False
    ) -> PlatformDecided:
        made = await self._record.settings_made_by(request_id)
        if made is None:
            decision = decide_change(await self._record.settings(), wanted)
            dangerous = tuple(change.name for change in decision.changes if change.dangerous)
            # What was approved was judged by the freeze when its approval was.
            if held and decision.changes and not tightens(decision.changes):
                freeze = await self._record.held_by_freeze(request_id, wanted.at)
                if freeze:
                    detail = f"changes are frozen: {freeze}"
                    return PlatformDecided(Answer(request_id, FROZEN, detail))
            if decision.needs_person:
                asked = request_for_person(request_id, wanted, decision)
                detail = f"a person decides: {decision.verdict.reason}"
                answer = Answer(request_id, WAITING, detail, approval=asked.request_id)
                return PlatformDecided(answer, ask=asked)
            if decision.version is None:
                refused = _refused(request_id, decision.verdict)
                return PlatformDecided(replace(refused, dangerous=dangerous))
            await self._record.save_settings(request_id, wanted, decision)
            made = MadeVersion(decision.version.version, dangerous)
        detail = f"version {made.version} of the platform's settings is being told"
        answer = Answer(
            request_id,
            "accepted",
            detail,
            settings_version=made.version,
            dangerous=made.dangerous,
        )
        return PlatformDecided(answer, tell=f"settings-{made.version}")

    async def _settle_universe(self, request: SettlePlatformApproval) -> PlatformDecided:
        asked, fact, name = request.asked, request.fact, request.request_id
        wanted = read_content(UniverseContent, asked.content)
        change = UniverseChange(
            wanted.version,
            asked.requested_by,
            fact.by,
            wanted.reason,
            fact.at,
            wanted.joins,
            wanted.leaves,
        )
        told = f"version-{change.version}"
        authorship = UniverseAuthorship(
            change.author, fact.by, change.reason, fact.at, change.joins, change.leaves
        )
        if not await self._record.is_waiting(wanted.number):
            detail = f"change {wanted.number} was decided before"
            return PlatformDecided(Answer(name, "accepted", detail), tell=told)
        if fact.status is not ApprovalStatus.APPROVED:
            await self._record.settle_wanted(wanted.number, fact.by, fact.at, None, authorship)
            detail = f"the universe stays as it is: {fact.status.value}"
            return PlatformDecided(Answer(name, "accepted", detail))
        standing = await self._record.universe()
        verdict = judge_universe_change(standing.universe, standing.proposal, change)
        if not verdict.allowed:
            await self._record.settle_wanted(wanted.number, ACTOR, fact.at, None, authorship)
            return PlatformDecided(_refused(name, verdict))
        held = await self._record.held_symbols()
        made = apply_change(standing.universe, standing.proposal, change, held)
        await self._record.settle_wanted(wanted.number, fact.by, fact.at, made, authorship)
        detail = f"version {made.version} of the universe is being told"
        return PlatformDecided(Answer(name, "accepted", detail), tell=told)


def _refused(request_id: str, verdict: Verdict) -> Answer:
    return Answer(request_id, verdict.failures[0].code, verdict.reason, verdict=verdict)
