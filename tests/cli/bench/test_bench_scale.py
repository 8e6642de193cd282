import pytest

from cli.bench.scale import growth


def a_row(accounts, p99, **holding):
    held = {
        "memory_megabytes": 700.0,
        "cores": 0.5,
        "database_transactions_a_second": 10.0,
        "temporal_requests_a_second": 20.0,
        **holding,
    }
    return {"accounts": accounts, "holding": held, "growing": {"request_to_ack": {"p99_ms": p99}}}


def test_growth_is_what_one_account_more_costs():
    rows = [a_row(3, 40.0), a_row(103, 90.0, memory_megabytes=900.0, cores=1.5)]
    found = growth(rows)
    per_account = found["per_account_holding_a_trade"]
    assert per_account["memory_megabytes"] == 2.0
    assert per_account["cores"] == 0.01
    assert found["p99_over_budget_from"] is None


def test_bend_is_the_first_number_of_accounts_over_the_budget():
    rows = [a_row(3, 40.0), a_row(10, 101.0), a_row(30, 500.0)]
    assert growth(rows)["p99_over_budget_from"] == 10


@pytest.mark.parametrize("rows", [[], [{"accounts": 3, "failures": ["it did not start"]}]])
def test_what_was_not_measured_has_no_growth(rows):
    assert growth(rows)["p99_over_budget_from"] is None
