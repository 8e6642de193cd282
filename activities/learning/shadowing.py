"""The step between gate and approval: the model decides in shadow, and trades nothing.

What a gate cannot see shows here: whether the model can be loaded where decisions are made, whether
its features are known there in time, and whether what it says there is a probability at all.
"""

from temporalio import activity

from activities.heartbeat import heartbeating
from activities.learning.watching import hard_fact
from activities.ports.learning.shadow import ShadowRecord
from models.contracts.learning import SHADOW_DECISIONS, ShadowSeen, TrainingRequest


class ShadowActivities:
    """Begin a shadow, look at it, and end it."""

    def __init__(self, record: ShadowRecord, wanted: int = SHADOW_DECISIONS) -> None:
        self._record = record
        self._wanted = wanted

    @activity.defn
    async def look_at_shadow(
        self, request: TrainingRequest, version: int, is_last: bool
    ) -> ShadowSeen:
        """Tell how many decisions there are of those wanted; begun with the first look.

        It is over with enough of them, with a hard fact, or with the last look.
        """
        async with heartbeating():
            shadow = await self._record.begin_shadow(request.run_id, version, self._wanted)
            if shadow.reason is None:
                found = await self._record.decisions(version, shadow.began_at)
                made = sum(not one.refusal for one in found)
                reason = hard_fact(found)
                if not reason and made < shadow.wanted:
                    if not is_last:
                        return ShadowSeen(made, shadow.wanted, over=False, reason="")
                    reason = f"only {made} of {shadow.wanted} decisions in time"
                shadow = await self._record.end_shadow(request.run_id, made, reason)
        return ShadowSeen(
            shadow.decisions or 0, shadow.wanted, over=True, reason=shadow.reason or ""
        )
