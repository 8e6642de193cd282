"""``kill -9`` of any process in mid-trade, then of all at once: nothing lost, doubled or bare.

Times are measured into ``build/kills.json`` and judged by nobody here: machines are noisy. What is
judged is that everything is protected and accounted for again, however long the patience.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.kills import ALL, EXIT, FILL, REQUEST, Killer, Measure, write
from tests.support.own_stack import OwnStack

pytestmark = [pytest.mark.stack, pytest.mark.alone, pytest.mark.timeout(280)]

KILLS = (
    ("trading", REQUEST, "separate"),
    ("trading", FILL, "separate"),
    ("trading", EXIT, "attached"),
    ("trading-standby", FILL, "separate"),
    ("market", FILL, "separate"),
    ("api", REQUEST, "attached"),
    ("temporal", FILL, "separate"),
    ("postgres", FILL, "attached"),
    ("exchange", REQUEST, "separate"),
    ("fork-server", REQUEST, "separate"),
    ("keeper", REQUEST, "separate"),
    ("supervisor", FILL, "separate"),
    (ALL, FILL, "separate"),
)


@pytest.fixture(scope="module")
def measures() -> Iterator[list[Measure]]:
    """Collect the figures and write them in the end."""
    found: list[Measure] = []
    yield found
    write(found)


@pytest.fixture(scope="module")
def killer(stack: OwnStack) -> Iterator[Killer]:
    killing = Killer(stack)
    yield killing
    killing.stop()


@pytest.mark.parametrize(("target", "moment", "protection"), KILLS)
def test_killed_process_leaves_everything_protected_and_accounted_for(
    killer: Killer, measures: list[Measure], target: str, moment: str, protection: str
) -> None:
    measure = killer.kill(target, moment, protection)
    measures.append(measure)
    assert measure.findings == ()
    killer.close_opened()
