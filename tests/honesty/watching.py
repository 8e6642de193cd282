"""Is a champion that has turned withdrawn soon, and one that is healthy left alone?

Champions are made: a figure tells the odds of each idea, and the champion knows them. Turned, its
figure tells the opposite. Each is watched as the platform watches: by a watch made of its own
record.
"""

from dataclasses import dataclass

import numpy as np

from models.learning.estimators.staking import sized_stake
from models.learning.labels.size import Odds
from models.learning.watching.champion import Decided, Watch, log_losses, make_watch

WIN, LOSS = 0.07, 0.09
BASE = -0.1
STRENGTHS = (0.5, 0.8, 1.2)
"""Log-odds for a deviation of the figure: Sharpe ratios of about 0.25, 0.35, 0.5 for each trade."""
RECORD = 2_000
SOON = 17
HEALTHY_TRADES = 1_000


@dataclass(frozen=True)
class Watched:
    """`soon`: share of turned champions that were withdrawn within 17 trades.

    `false_alarms`: alarms in a thousand trades of healthy ones, begun anew after each.
    """

    soon: float
    false_alarms: float
    turned: int
    healthy: int


def play(seed: int, turned: int = 300, healthy: int = 60) -> Watched:
    """Watch so many champions of each kind, over all strengths alike."""
    rng = np.random.default_rng([5, seed])
    trades, alarms = [], 0
    for strength in STRENGTHS:
        record = _decisions(rng, RECORD, strength, 1.0)
        watch = _watch(record, rng)
        trades += [
            _until_alarm(watch, _decisions(rng, 600, strength, -1.0))
            for _ in range(turned // len(STRENGTHS))
        ]
        share = np.mean([one.taken for one in record])
        for _ in range(healthy // len(STRENGTHS)):
            stream = _decisions(rng, int(HEALTHY_TRADES / share), strength, 1.0)
            alarms += _alarms(watch, stream)
    soon = float(np.mean([count <= SOON for count in trades]))
    return Watched(soon, alarms / healthy, turned, healthy)


def _decisions(rng: np.random.Generator, count: int, strength: float, sign: float) -> list[Decided]:
    figure = rng.standard_normal(count)
    said = 1 / (1 + np.exp(-(BASE + strength * figure)))
    true = 1 / (1 + np.exp(-(BASE + sign * strength * figure)))
    net = np.where(rng.random(count) < true, WIN, -LOSS)
    odds = Odds(WIN, LOSS, 0.0)
    return [
        Decided(float(p), float(n), sized_stake(float(p), 100.0, odds, 0.1) > 0)
        for p, n in zip(said, net, strict=True)
    ]


def _watch(record: list[Decided], rng: np.random.Generator) -> Watch:
    said = np.array([one.probability for one in record])
    net = np.array([one.net for one in record])
    taken = np.array([one.taken for one in record])
    return make_watch(log_losses(said, net > 0), net[taken], rng)


def _until_alarm(watch: Watch, decisions: list[Decided]) -> float:
    """Return how many trades there were until the alarm, infinite where there was none."""
    found = watch.first_alarm(decisions)
    if found is None:
        return float("inf")
    return float(sum(one.taken for one in decisions[:found]))


def _alarms(watch: Watch, decisions: list[Decided]) -> int:
    count = 0
    while (found := watch.first_alarm(decisions)) is not None:
        count, decisions = count + 1, decisions[found:]
    return count
