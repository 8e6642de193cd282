"""The dashboards: overview, account, order path, exchange, learning, platform.

Every query runs in CI against a Prometheus that has scraped a stack; ``fills`` says when a panel
shows something that an installation in order does not.
"""

from infra.grafana.panels import Board, Panel, Query

FAULT = "when something goes wrong"


def quantiles(series: str, by: str = "", where: str = "") -> tuple[Query, ...]:
    """Return median and 99th percentile of a histogram over five minutes."""
    labels = f"le, {by}" if by else "le"
    name = f"{{{{{by}}}}} " if by else ""
    inner = f"sum by ({labels}) (rate({series}_bucket{where}[5m]))"
    return tuple(
        Query(f"histogram_quantile({share}, {inner})", f"{name}p{share * 100:g}")
        for share in (0.5, 0.99)
    )


def per_minute(series: str, by: str = "") -> tuple[Query, ...]:
    """Return how often a counter rose each minute."""
    total = f"sum by ({by})" if by else "sum"
    legend = " ".join(f"{{{{{one.strip()}}}}}" for one in by.split(",")) if by else ""
    return (Query(f"{total} (rate({series}[5m])) * 60", legend),)


def one(title: str, unit: str, expression: str, legend: str = "", fills: str = "") -> Panel:
    """Return a panel of curves with one query."""
    return Panel(title, unit, (Query(expression, legend),), fills)


def figure(title: str, unit: str, expression: str, fills: str = "") -> Panel:
    """Return a panel of one number."""
    return Panel(title, unit, (Query(expression),), fills, figure=True)


OVERVIEW = Board(
    "overview",
    "Aether: overview",
    {
        "Is everything in order": (
            figure("Processes that answer", "short", "sum(up)"),
            figure("Alerts that fire", "short", 'count(ALERTS{alertstate="firing"})'),
            figure("Degraded modes", "short", "max(aether_degraded_mode_count)"),
            figure("Workflows missing", "short", "aether_workflows_missing_count"),
            figure("Open trades", "short", "sum(aether_trades_open_count)"),
            figure("Verified backup is old", "s", "aether_backup_verified_age_seconds"),
        ),
        "Protection": (
            one(
                "Longest uncovered position now",
                "s",
                "aether_trade_unprotected_current_seconds",
                "{{account}}",
            ),
            one("Positions that wait for cover", "short", "max(aether_protection_waiting_count)"),
            Panel(
                "Finished uncovered spans",
                "s",
                quantiles("aether_trade_unprotected_seconds", "protection"),
            ),
        ),
        "Books": (
            one("Last comparison", "s", "aether_reconciliation_age_seconds", "{{account}}"),
            one(
                "Differences that stand",
                "short",
                "aether_reconciliation_standing_differences_count",
                "{{account}}",
            ),
            one(
                "Halts",
                "short",
                "sum by (account, kind) (aether_account_halted)",
                "{{account}} {{kind}}",
            ),
        ),
    },
)

ACCOUNT = Board(
    "account",
    "Aether: accounts",
    {
        "Trades": (
            one(
                "Open trades",
                "short",
                "sum by (account, symbol) (aether_trades_open_count)",
                "{{account}} {{symbol}}",
            ),
            one(
                "Traded (USD a minute)",
                "currencyUSD",
                "sum by (liquidity) (rate(aether_traded_usd_total[5m])) * 60",
                "{{liquidity}}",
                "when a trade has ended",
            ),
            Panel(
                "Entries by what became of them, a minute",
                "short",
                per_minute("aether_entry_results_total", "style, result"),
                "when a trade has ended",
            ),
        ),
        "Limits": (
            one(
                "Share of each limit that is used",
                "percentunit",
                "max by (account, limit) (aether_limit_used_ratio)",
                "{{account}} {{limit}}",
            ),
            one(
                "Without a figure it needs",
                "s",
                "max by (account, kind) (aether_account_unmeasured_seconds)",
                "{{account}} {{kind}}",
            ),
            one(
                "Figure missing for too long",
                "short",
                "aether_account_unmeasured_alert",
                "{{account}}",
            ),
        ),
        "Costs": (
            Panel(
                "Slippage (basis points)",
                "short",
                quantiles("aether_slippage_basis_points", "leg"),
            ),
            one("Fees saved by resting", "currencyUSD", "aether_fees_saved_usd_total"),
            Panel(
                "Executions without a decision price, a minute",
                "short",
                per_minute("aether_slippage_unmeasured_total", "leg"),
                "when an execution has none",
            ),
        ),
    },
)

ORDER_PATH = Board(
    "order-path",
    "Aether: order path",
    {
        "From decision to exchange": (
            Panel(
                "Intent committed",
                "s",
                quantiles("aether_order_step_seconds", "leg", '{step="intent"}'),
            ),
            Panel(
                "Order acknowledged",
                "s",
                quantiles("aether_order_step_seconds", "leg", '{step="acknowledge"}'),
            ),
            Panel(
                "Stop moved",
                "s",
                quantiles("aether_order_step_seconds", "leg", '{step="amend"}'),
                "when a stop has trailed",
            ),
        ),
        "Out of it": (
            Panel(
                "Order withdrawn",
                "s",
                quantiles("aether_order_step_seconds", "leg", '{step="cancel"}'),
                "when a position has been sold",
            ),
            Panel(
                "Position sold",
                "s",
                quantiles("aether_order_step_seconds", "leg", '{step="exit"}'),
                "when a position has been sold",
            ),
            Panel(
                "Entries refused for load, a minute",
                "short",
                per_minute("aether_entries_refused_for_load_total"),
            ),
        ),
        "What did not go straight": (
            Panel(
                "Unknown outcomes, a minute",
                "short",
                per_minute("aether_order_unknown_outcomes_total", "operation, resolution"),
            ),
            Panel(
                "Refused by the exchange, a minute",
                "short",
                per_minute("aether_exchange_refusals_total", "request, kind"),
                "when the exchange refuses",
            ),
            Panel(
                "Requests that wait, a minute",
                "short",
                per_minute("aether_blocked_requests_total", "event"),
                "when a request was refused twice",
            ),
        ),
        "Workflows": (
            Panel(
                "Workflow task waits",
                "s",
                quantiles("temporal_workflow_task_schedule_to_start_latency_seconds"),
            ),
            Panel(
                "Workflow task takes",
                "s",
                quantiles("temporal_workflow_task_execution_latency_seconds"),
            ),
            Panel(
                "Activity takes",
                "s",
                quantiles("temporal_activity_execution_latency_seconds", "activity_type"),
            ),
        ),
    },
)

EXCHANGE = Board(
    "exchange",
    "Aether: exchange",
    {
        "Public feed": (
            one("Age of each pair's last message", "s", "aether_feed_age_seconds", "{{symbol}}"),
            one("Healthy pairs", "short", "aether_market_healthy_symbols_count"),
            Panel(
                "Books read anew and trades missed, a minute",
                "short",
                (
                    *per_minute("aether_feed_checksum_failures_total"),
                    *per_minute("aether_feed_trade_gaps_total"),
                ),
            ),
        ),
        "Private streams": (
            one("Stream is whole", "short", "aether_private_stream_up", "{{account}}"),
            Panel("Delivery", "s", quantiles("aether_private_stream_delivery_seconds", "stamp")),
            Panel(
                "Messages a minute",
                "short",
                per_minute("aether_private_stream_messages_total", "channel"),
            ),
        ),
        "Rate limits": (
            one(
                "Reads: free share", "percentunit", "aether_rate_read_headroom_ratio", "{{account}}"
            ),
            one(
                "Trading: free share",
                "percentunit",
                "aether_rate_trading_headroom_ratio",
                "{{account}}",
            ),
            Panel(
                "Refused for a rate limit, a minute",
                "short",
                per_minute("aether_rate_refusals_total", "account"),
            ),
        ),
        "Clock and comparisons": (
            one("Exchange's clock ahead of ours", "s", "aether_exchange_clock_offset_seconds"),
            Panel("A comparison takes", "s", quantiles("aether_reconciliation_seconds")),
            one(
                "Asked again in",
                "s",
                "aether_exchange_cool_down_seconds",
                "{{account}} {{kind}}",
                "when the exchange has locked a key out",
            ),
        ),
    },
)

LEARNING = Board(
    "learning",
    "Aether: learning",
    {
        "Models": (
            figure("Champion since", "s", "aether_learning_champion_age_seconds"),
            figure("Changes of the champion", "short", "aether_learning_champions_count"),
            figure("Training runs", "short", "aether_learning_runs_count"),
            figure("Trials in the ledger", "short", "aether_learning_trials_count"),
        ),
        "Gate": (
            one(
                "Verdicts of the gate",
                "short",
                "aether_learning_verdicts_count",
                "{{verdict}}",
            ),
            one(
                "Since the last verdict",
                "s",
                "aether_learning_verdict_age_seconds",
                "",
                "when a training run was judged",
            ),
        ),
    },
)

PLATFORM = Board(
    "platform",
    "Aether: platform",
    {
        "Processes": (
            one("Processor", "percentunit", "rate(process_cpu_seconds_total[5m])", "{{job}}"),
            one("Memory", "bytes", "process_resident_memory_bytes", "{{job}}"),
            one("Open files", "short", "process_open_fds", "{{job}}"),
        ),
        "Record": (
            one("Record answers", "short", "aether_record_up"),
            one("Last cosigned checkpoint", "s", "aether_audit_checkpoint_age_seconds"),
            one(
                "Writes set aside",
                "short",
                "aether_record_quarantined_writes_standing_count",
                "{{account}}",
            ),
        ),
        "Temporal": (
            one(
                "Oldest task in a queue",
                "s",
                "max by (taskqueue) (approximate_backlog_age_seconds)",
                "{{taskqueue}}",
            ),
            one("Workflows in the cache", "short", "temporal_sticky_cache_size"),
            Panel(
                "Workflows restored, a minute",
                "short",
                per_minute("aether_workflows_restored_total", "kind"),
            ),
        ),
        "People and events": (
            Panel(
                "Sign-ins that failed, a minute",
                "short",
                per_minute("aether_sign_in_failures_total", "step"),
                "when somebody fails to sign in",
            ),
            Panel(
                "Requests without the right, a minute",
                "short",
                per_minute("aether_access_denied_total", "code"),
                "when somebody asks without the right",
            ),
            Panel(
                "Requests beyond their caller's limit, a minute",
                "short",
                per_minute("aether_requests_limited_total", "caller"),
                "when a caller sends too many",
            ),
            one(
                "Events that wait for the broker",
                "short",
                "aether_events_waiting_count",
                "{{account}}",
                "when a broker is configured (AETHER_EVENTS_URL)",
            ),
        ),
    },
)

BOARDS = (OVERVIEW, ACCOUNT, ORDER_PATH, EXCHANGE, LEARNING, PLATFORM)
