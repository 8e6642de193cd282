"""Each alert fires when it should, is silent when it should be, and says so when it is blind.

promtool evaluates the very files that Prometheus loads.
"""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.prometheus import provided

ROOT = Path(__file__).parents[3]
RULES = ROOT / "infra" / "prometheus"
BACKUP_LIMIT = 26 * 3600
WAITED = "temporal_workflow_task_schedule_to_start_latency_seconds"
CALM = {
    'up{job="aether-trading"}': "1x120",
    'up{job="aether-temporal"}': "1x120",
    "aether_record_up": "1x120",
    'aether_trade_unprotected_current_seconds{account="company"}': "0x120",
    'aether_trades_open_count{account="company",symbol="BTC/USD"}': "1x120",
    'aether_feed_age_seconds{symbol="BTC/USD"}': "1x120",
    'aether_reconciliation_standing_differences_count{account="company"}': "0x120",
    'aether_reconciliation_age_seconds{account="company"}': "60x120",
    "aether_kill_switch_unacknowledged_seconds": "0x120",
    'aether_account_halted{account="company",kind="daily_drawdown"}': "0x120",
    'aether_account_halted{account="company",kind="requested"}': "1x120",
    "aether_backup_verified_age_seconds": f"{BACKUP_LIMIT}x120",
    'aether_exchange_clock_offset_seconds{source="exchange"}': "-2x120",
    "aether_audit_checkpoint_age_seconds": "300x120",
    "aether_workflows_restored_total": "0x120",
    "aether_workflows_missing_count": "0x120",
    'aether_exchange_key_age_days{account="company",mode="live"}': "89.9x120",
    'aether_exchange_key_fault{account="company"}': "0x120",
    'aether_rescues_total{account="company"}': "0x120",
    'aether_rate_refusals_total{account="company"}': "0x120",
    "aether_entries_refused_for_load_total": "7x120",
    'aether_account_unmeasured_alert{account="company"}': "0x120",
    'aether_record_quarantined_writes_standing_count{account="company"}': "0x120",
    "aether_history_quarantined_batches_count": "0x120",
    "aether_sanctions_list_age_seconds": f"{8 * 86400}x120",
    "aether_sanctions_named_pairs_count": "0x120",
    'aether_market_data_age_seconds{work="history"}': f"{3 * 86400}x120",
    'aether_market_quality_findings_count{symbol="BTC/USD",kind="diverged"}': "0x120",
    'aether_private_stream_up{account="company"}': "1x120",
    'aether_order_unknown_outcomes_total{operation="place"}': "0x120",
    "aether_feed_checksum_failures_total": "0x120",
    "aether_degraded_mode_count": "5x120",
    'aether_notifications_undelivered_count{kind="mail"}': "0x120",
    "aether_notifications_backlog_rows_count": "1000x120",
    'aether_events_oldest_seconds{account="company"}': "600x120",
    'aether_events_lost_count{account="company"}': "7x120",
    "aether_champion_promotion_seconds": "60x120",
    "aether_learning_champion_age_seconds": "0x120",
    "aether_feature_replay_differing_count": "0x120",
    "aether_freeze_breaks_unreviewed": "0x120",
    **dict.fromkeys((f'{WAITED}_bucket{{le="{le}"}}' for le in ("1", "2.5", "+Inf")), "0+100x120"),
    'approximate_backlog_age_seconds{taskqueue="trading"}': "30x120",
    'approximate_backlog_age_seconds{taskqueue="research"}': "900x120",
    'aether_certificate_remaining_seconds{certificate="client"}': f"{30 * 86400}x120",
}
"""Everything in order, at the very edge of what is; five seconds between values."""

WORSE = {
    "AetherUnprotectedPosition": [
        {'aether_trade_unprotected_current_seconds{account="company"}': "5.1x120"}
    ],
    "AetherTradingAbsentWithPositions": [
        {'up{job="aether-trading"}': "0x120"},
        {'up{job="aether-trading"}': None},
    ],
    "AetherFeedStaleWithPositions": [{'aether_feed_age_seconds{symbol="BTC/USD"}': "61x120"}],
    "AetherReconciliationDiffers": [
        {'aether_reconciliation_standing_differences_count{account="company"}': "1x120"},
        {'aether_reconciliation_age_seconds{account="company"}': "901x120"},
    ],
    "AetherKillSwitchUnacknowledged": [{"aether_kill_switch_unacknowledged_seconds": "31x120"}],
    "AetherDrawdownHalt": [
        {'aether_account_halted{account="company",kind="daily_drawdown"}': "1x120"},
        {'aether_account_halted{account="company",kind="total_drawdown"}': "1x120"},
    ],
    "AetherRecordOrTemporalDown": [
        {"aether_record_up": "0x120"},
        {"aether_record_up": None},
        {'up{job="aether-temporal"}': "0x120"},
        {'up{job="aether-temporal"}': None},
    ],
    "AetherBackupUnverified": [
        {"aether_backup_verified_age_seconds": f"{BACKUP_LIMIT + 1}x120"},
        {"aether_backup_verified_age_seconds": "Inf " * 121},
    ],
    "AetherClockSkew": [
        {'aether_exchange_clock_offset_seconds{source="exchange"}': "2.1x120"},
        {'aether_exchange_clock_offset_seconds{source="exchange"}': "-2.1x120"},
    ],
    "AetherWitnessStale": [{"aether_audit_checkpoint_age_seconds": "300.1x120"}],
    "AetherExchangeKeyOld": [
        {'aether_exchange_key_age_days{account="company",mode="live"}': "90x120"}
    ],
    "AetherExchangeKeyFault": [{'aether_exchange_key_fault{account="company"}': "1x120"}],
    "AetherWorkflowsRestored": [{"aether_workflows_restored_total": "0+1x120"}],
    "AetherWorkflowsMissing": [{"aether_workflows_missing_count": "1x120"}],
    "AetherTradesReopened": [{'aether_rescues_total{account="company"}': "0+1x120"}],
    "AetherRateLimitRefused": [{'aether_rate_refusals_total{account="company"}': "0+1x120"}],
    "AetherEntriesRefusedForLoad": [{"aether_entries_refused_for_load_total": "7+1x120"}],
    "AetherAccountUnmeasured": [{'aether_account_unmeasured_alert{account="company"}': "1x120"}],
    "AetherWritesQuarantined": [
        {'aether_record_quarantined_writes_standing_count{account="company"}': "1x120"}
    ],
    "AetherSanctionsStale": [{"aether_sanctions_list_age_seconds": f"{8 * 86400 + 1}x120"}],
    "AetherSanctionsNamePair": [{"aether_sanctions_named_pairs_count": "1x120"}],
    "AetherMarketDataLate": [
        {'aether_market_data_age_seconds{work="history"}': f"{3 * 86400 + 1}x120"}
    ],
    "AetherHistoryQuarantined": [{"aether_history_quarantined_batches_count": "1x120"}],
    "AetherMarketDataInDoubt": [
        {'aether_market_quality_findings_count{symbol="BTC/USD",kind="diverged"}': "1x120"}
    ],
    "AetherPrivateStreamDown": [{'aether_private_stream_up{account="company"}': "0x120"}],
    "AetherUnknownOutcomes": [
        {'aether_order_unknown_outcomes_total{operation="place"}': "0+1x120"}
    ],
    "AetherBookChecksums": [{"aether_feed_checksum_failures_total": "0+1x120"}],
    "AetherNotificationsFailing": [
        {'aether_notifications_undelivered_count{kind="mail"}': "1x120"},
        {"aether_notifications_backlog_rows_count": "1001x120"},
    ],
    "AetherEventsBehind": [
        {'aether_events_oldest_seconds{account="company"}': "601x120"},
        {'aether_events_lost_count{account="company"}': "0+1x120"},
    ],
    "AetherPromotionSlow": [{"aether_champion_promotion_seconds": "61x120"}],
    "AetherFreezeBroken": [{"aether_freeze_breaks_unreviewed": "1x120"}],
    "AetherFeatureReplayDiffers": [{"aether_feature_replay_differing_count": "1x120"}],
    "AetherQueueOld": [
        # Two in a hundred wait longer than a second.
        {f'{WAITED}_bucket{{le="1"}}': "0+98x120"},
        {'approximate_backlog_age_seconds{taskqueue="trading"}': "31x120"},
    ],
    "AetherCertificateEnds": [
        {'aether_certificate_remaining_seconds{certificate="client"}': f"{30 * 86400 - 1}x120"},
        {'aether_certificate_remaining_seconds{certificate="client"}': "-1x120"},
        {'aether_certificate_remaining_seconds{certificate="client"}': "NaN " * 121},
    ],
    "AetherDegradedModes": [{"aether_degraded_mode_count": "6x180"}],
}
ALWAYS = "AetherWatching"
BLIND = "AetherFiguresMissing"


def groups(name):
    return yaml.safe_load((RULES / f"{name}.yaml").read_text())["groups"]


def rules():
    return [rule for name in ("pages", "tickets") for g in groups(name) for rule in g["rules"]]


def pages():
    return [rule["alert"] for rule in rules() if rule["labels"]["severity"] == "page"]


def watched():
    return [rule["labels"]["series"] for rule in rules() if rule["alert"] == BLIND]


@pytest.fixture(scope="session")
def promtool():
    return provided("promtool")


@pytest.fixture
def firing(promtool, tmp_path):
    """Hold the alerts that fire after ten minutes of such figures against those that should."""

    def check(changes, wanted, *, lost=()):
        figures = {
            name: values
            for name, values in (CALM | changes).items()
            if values is not None and name.partition("{")[0] not in lost
        }
        alerts = {rule["alert"] for rule in rules()}
        everything = [
            {
                "eval_time": "10m",
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": count}
                    for name, count in sorted((wanted | {ALWAYS: 1}).items())
                ],
            }
        ]
        assert set(wanted) <= alerts
        document = {
            "rule_files": [str(RULES / "pages.yaml"), str(RULES / "tickets.yaml")],
            "evaluation_interval": "5s",
            "tests": [
                {
                    "interval": "5s",
                    "input_series": [{"series": s, "values": v} for s, v in figures.items()],
                    "promql_expr_test": everything,
                }
            ],
        }
        path = tmp_path / "test.yaml"
        path.write_text(yaml.safe_dump(document, width=1000))
        told = subprocess.run(
            [promtool, "test", "rules", path], capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr

    return check


def test_all_is_silent_when_all_is_in_order(firing):
    firing({}, {})


@pytest.mark.parametrize(
    ("alert", "changes"),
    [(alert, changes) for alert, ways in WORSE.items() for changes in ways],
)
def test_it_fires_and_nothing_else_does(firing, alert, changes):
    firing(changes, {alert: 1})


@pytest.mark.parametrize("series", watched())
def test_a_figure_that_nobody_tells_is_a_ticket_and_no_page(firing, series):
    firing({}, {BLIND: 1}, lost={series})


def test_without_positions_an_absent_worker_and_a_stale_feed_wake_nobody(firing):
    worse = {
        'up{job="aether-trading"}': "0x120",
        'aether_feed_age_seconds{symbol="BTC/USD"}': "1000x120",
    }
    firing(worse, {}, lost={"aether_trades_open_count"})


def test_the_feed_of_a_pair_without_positions_wakes_nobody(firing):
    firing({'aether_feed_age_seconds{symbol="ETH/USD"}': "1000x120"}, {})


def test_a_slow_promotion_of_the_day_before_is_no_news(firing):
    was_slow = {"aether_champion_promotion_seconds": "61x120"}
    firing(was_slow | {"aether_learning_champion_age_seconds": "86400x120"}, {})


def test_an_api_that_is_gone_is_one_page(firing):
    told_by_api = {
        "aether_record_up",
        "aether_trade_unprotected_current_seconds",
        "aether_trades_open_count",
        "aether_reconciliation_standing_differences_count",
        "aether_reconciliation_age_seconds",
        "aether_kill_switch_unacknowledged_seconds",
        "aether_account_halted",
        "aether_backup_verified_age_seconds",
        "aether_audit_checkpoint_age_seconds",
        "aether_record_quarantined_writes_standing_count",
    }
    blind = len(told_by_api & set(watched()))
    firing({}, {"AetherRecordOrTemporalDown": 1, BLIND: blind}, lost=told_by_api)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alertmanager_sends_each_where_it_belongs(rule):
    labels = [f"{name}={value}" for name, value in rule["labels"].items()]
    command = [provided("amtool"), "config", "routes", "test"]
    command += [f"--config.file={RULES / 'alertmanager.yaml'}", f"alertname={rule['alert']}"]
    told = subprocess.run([*command, *labels], capture_output=True, text=True, check=False)
    receivers = {"page": "pages", "ticket": "tickets"}
    wanted = (
        "dead-mans-switch" if rule["alert"] == ALWAYS else receivers[rule["labels"]["severity"]]
    )
    assert told.stdout.strip() == wanted, told.stderr


def test_alertmanager_loads_its_configuration_and_reaches_people_two_ways():
    path = RULES / "alertmanager.yaml"
    command = [provided("amtool"), "check-config", path]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    receivers = {one["name"]: one for one in yaml.safe_load(path.read_text())["receivers"]}
    for name in ("pages", "tickets"):
        assert set(receivers[name]) == {"name", "webhook_configs", "email_configs"}


def test_a_message_that_is_repeated_finds_a_beat_to_go_out_on():
    route = yaml.safe_load((RULES / "alertmanager.yaml").read_text())["route"]
    for one in (route, *route["routes"]):
        beat = seconds_of(one.get("group_interval", route["group_interval"]))
        assert beat < seconds_of(one["repeat_interval"]), one
    # Its runbook calls five minutes of silence a fault.
    (watching,) = [one for one in route["routes"] if one["receiver"] == "dead-mans-switch"]
    assert seconds_of(watching["repeat_interval"]) + seconds_of(watching["group_interval"]) < 300


def seconds_of(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def test_prometheus_loads_its_configuration(promtool):
    told = subprocess.run(
        [promtool, "check", "config", RULES / "prometheus.yaml"], capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_every_alert_is_tried_and_pages_are_few():
    assert {rule["alert"] for rule in rules()} == {*WORSE, ALWAYS, BLIND}
    assert len(pages()) == len(set(pages())) <= 10


def test_what_a_page_reads_is_known_to_be_missing_or_is_a_page_itself():
    read = " ".join(rule["expr"] for rule in rules() if rule["alert"] in pages())
    names = {word for word in CALM_NAMES if word in read}
    guarded = {*watched(), "aether_record_up", "up"}
    # A pair or platform without open trades has no such series: that is no blindness.
    assert names - guarded == {"aether_trades_open_count"}


CALM_NAMES = {name.partition("{")[0] for name in CALM}
