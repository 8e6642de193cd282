"""The model of a cluster: fitted to what was measured, held against it, and sized by its law."""

import pytest

from cli.bench.envelope.cluster import PARTS, checked, cluster, laws

LAW = {
    "temporal": (0.05, 0.005, 0.15, 150.0, 1.0, 5.0),
    "trading": (0.03, 0.005, 0.10, 200.0, 2.0, 1.0),
    "trading-standby": (0.01, 0.0, 0.0, 180.0, 0.0, 0.0),
    "postgres": (0.01, 0.0005, 0.02, 80.0, 0.2, 0.0),
    "api": (0.01, 0.0, 0.02, 120.0, 0.1, 0.0),
    "market": (0.05, 0.0, 0.01, 110.0, 0.0, 0.0),
    "exchange": (0.02, 0.0, 0.02, 90.0, 0.1, 0.0),
}


def a_state(accounts, trades, factor=1.0, seconds=10.0):
    cores = {
        name: factor * (base + each * accounts + trade * trades)
        for name, (base, each, trade, *_) in LAW.items()
    }
    memory = {name: figures[3] + figures[4] * accounts for name, figures in LAW.items()}
    return {
        "cores": sum(cores.values()),
        "cores_by_process": cores,
        "memory_by_process": memory,
        "seconds": seconds,
        "request_to_ack": {"n": round(trades * seconds)},
    }


def a_report(factor=1.0):
    return {
        "rows": [
            {
                "accounts": accounts,
                "resting": a_state(0, 0),
                "holding": a_state(accounts, 0),
                "steady": a_state(accounts, 3.0, factor),
                "growing": a_state(accounts, accounts / 10),
            }
            for accounts in (10, 30, 100)
        ]
    }


def test_the_law_of_what_was_measured_is_found_again():
    found = laws(a_report())
    assert found["trading"].cores == pytest.approx((0.03, 0.005, 0.10))
    assert found["temporal"].cores_of(100, 3.0) == pytest.approx(1.0)
    assert found["postgres"].megabytes == pytest.approx((80.0, 0.2, 0.0), abs=0.01)


def test_states_that_the_law_does_not_meet_are_named():
    law = laws(a_report())
    assert all(row["holds"] for row in checked(law, a_report()))
    bad = [row for row in checked(law, a_report(factor=4.0)) if not row["holds"]]
    assert {row["state"] for row in bad} == {"steady"}


def test_too_few_measurements_make_no_law():
    with pytest.raises(ValueError, match="aether bench scale"):
        laws({"rows": [{"accounts": 3, "resting": a_state(0, 0), "holding": a_state(3, 0)}]})


def test_ten_thousand_accounts_shard_what_one_core_bounds():
    found = {row["part"]: row for row in cluster(laws(a_report()), 10_000, 0.001)}
    assert set(found) == {part.name for part in PARTS}
    assert found["trading"]["cores"] == pytest.approx(0.04 + 50 + 1.0)
    assert found["trading"]["shards"] == 86
    assert found["trading"]["instances"] == 87
    assert found["temporal"]["shards"] == 1
    assert found["temporal"]["cores_to_provide"] == 86
    assert "account" in found["trading"]["key"]
    assert "one group today" in found["trading"]["built"]


def test_a_part_that_no_report_knows_has_no_figure():
    found = {row["part"]: row for row in cluster(laws(a_report()), 10, 0.001)}
    assert found["notifications"]["instances"] is None


MEASURED = {
    # docs/scaling.md: cores of all, Temporal, trading worker; the second with trades a second.
    3: ((0.11, 0.05, 0.03), (0.20, 0.09, 0.06), 0.3),
    10: ((0.20, 0.11, 0.06), (0.51, 0.26, 0.18), 1.0),
    30: ((0.40, 0.23, 0.12), (1.16, 0.59, 0.40), 3.0),
    100: ((1.19, 0.54, 0.53), (1.80, 0.79, 0.71), 2.8),
}


def as_measured(cores, trades=0.0):
    whole, temporal, trading = cores
    by_process = {"temporal": temporal, "trading": trading, "rest": whole - temporal - trading}
    return {
        "cores": whole,
        "cores_by_process": by_process,
        "memory_by_process": {},
        "seconds": 100.0,
        "request_to_ack": {"n": round(trades * 100)},
    }


def test_the_model_meets_what_was_measured_on_one_machine():
    rows = [
        {"accounts": accounts, "holding": as_measured(held), "growing": as_measured(grown, rate)}
        for accounts, (held, grown, rate) in MEASURED.items()
    ]
    report = {"rows": rows}
    law = laws(report)
    found = checked(law, report)
    assert len(found) == 8
    for row in found:
        if row["cores"] >= 0.4:
            assert row["cores_of_the_model"] == pytest.approx(row["cores"], rel=0.15), row
    ten_thousand = sum(one.cores_of(10_000, 10_000 * 4 / 3600) for one in law.values())
    assert ten_thousand == pytest.approx(108, rel=0.02)
