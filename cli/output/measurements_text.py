"""The platform's own figures in few lines, for ``aether status``."""

from collections.abc import Iterator

from cli.output.measurements import Distribution, Measurements

WIDTH = 18
STEPS = ("intent", "acknowledge", "cancel", "amend", "exit")


def lines(measured: Measurements) -> list[str]:
    """Return what people look at first; ``--json`` has everything."""
    parts = [
        *_orders(measured),
        *_unknown_outcomes(measured),
        *_unprotected(measured),
        *_reconciliation(measured),
        *_rates(measured),
        *_stream(measured),
        *_feed(measured),
        *_silent(measured),
    ]
    told = [f"  {name:<{WIDTH}} {words}" for name, words in parts]
    return ["measured since each process started:", *told]


def duration(seconds: float | None) -> str:
    """Return a span in the unit that suits it."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _spread(one: Distribution) -> str:
    p50, p99 = duration(one.quantile(0.5)), duration(one.quantile(0.99))
    return f"p50 {p50}, p99 {p99} ({one.count:.0f})"


def _orders(measured: Measurements) -> Iterator[tuple[str, str]]:
    found = measured.spreads("aether_order_step_seconds")
    for labels, one in sorted(found, key=lambda each: STEPS.index(each[0]["step"])):
        yield f"{labels['leg']} {labels['step']}", _spread(one)
    if not found and "trading" not in measured.silent:
        yield "orders", "none yet"


def _unknown_outcomes(measured: Measurements) -> Iterator[tuple[str, str]]:
    found = measured.by("aether_order_unknown_outcomes_total", "operation", "resolution")
    told = [f"{operation} {way} {n:.0f}" for (operation, way), n in found.items() if n]
    if "trading" not in measured.silent:
        yield "unknown outcomes", ", ".join(told) or "none"


def _unprotected(measured: Measurements) -> Iterator[tuple[str, str]]:
    now = measured.by("aether_trade_unprotected_current_seconds", "account")
    told = []
    if now:
        account, seconds = max(now.items(), key=lambda item: item[1])
        told.append(f"now {duration(seconds)} ({account[0]})" if seconds else "now none")
    for labels, one in measured.spreads("aether_trade_unprotected_seconds"):
        bound = one.highest_bound()
        words = f"{labels['protection']} gaps {_spread(one)}"
        told.append(f"{words}, longest at most {duration(bound)}" if bound else words)
    if told:
        yield "unprotected", "; ".join(told)


def _reconciliation(measured: Measurements) -> Iterator[tuple[str, str]]:
    ages = measured.by("aether_reconciliation_age_seconds", "account")
    if ages:
        (oldest,), age = max(ages.items(), key=lambda item: item[1])
        standing = measured.total("aether_reconciliation_standing_differences_count") or 0
        words = f"{standing:.0f} differences stand" if standing else "nothing differs"
        yield "reconciled", f"{duration(age)} ago at most ({oldest}), {words}"
    never = measured.by("aether_trade_unprotected_current_seconds", "account").keys() - ages.keys()
    if never:
        yield "never reconciled", ", ".join(sorted(account for (account,) in never))
    found = measured.by("aether_reconciliation_differences_total", "kind")
    repaired = measured.by("aether_reconciliation_repairs_total", "kind")
    told = [f"{kind} {n:.0f}" for (kind,), n in found.items() if n]
    told += [f"{kind} repaired {n:.0f}" for (kind,), n in repaired.items() if n]
    if told:
        yield "differences", ", ".join(told)


def _rates(measured: Measurements) -> Iterator[tuple[str, str]]:
    told = []
    for words, name in (("reads", "read"), ("trading", "trading")):
        shares = measured.by(f"aether_rate_{name}_headroom_ratio", "account")
        if shares:
            (fullest,), share = min(shares.items(), key=lambda item: item[1])
            told.append(f"{words} {share:.0%} free at least ({fullest})")
    refused = measured.total("aether_rate_refusals_total") or 0
    if told:
        yield "rate headroom", ", ".join([*told, f"refused by the exchange {refused:.0f} times"])


def _stream(measured: Measurements) -> Iterator[tuple[str, str]]:
    heard = measured.by("aether_private_stream_up", "account")
    if deaf := sorted(account for (account,), is_up in heard.items() if not is_up):
        yield "told nothing", f"{', '.join(deaf)}: the private stream is away, orders are asked for"
    for labels, one in measured.spreads("aether_private_stream_delivery_seconds"):
        yield "stream delivery", f"{_spread(one)} by the exchange's stamp on each {labels['stamp']}"
    messages = measured.total("aether_private_stream_messages_total")
    if messages is not None:
        gaps = measured.total("aether_private_stream_sequence_gaps_total") or 0
        ratio = gaps / messages if messages else 0
        yield "stream gaps", f"{gaps:.0f} of {messages:.0f} messages ({ratio:.2%})"


def _feed(measured: Measurements) -> Iterator[tuple[str, str]]:
    ages = measured.by("aether_feed_age_seconds", "symbol")
    if ages:
        (oldest,), age = max(ages.items(), key=lambda item: item[1])
        yield "feed age", f"{duration(age)} at most ({oldest}), {len(ages)} symbols"
    elif "market" not in measured.silent:
        yield "feed age", "no feed yet"


def _silent(measured: Measurements) -> Iterator[tuple[str, str]]:
    for name, why in sorted(measured.silent.items()):
        yield "not measured", f"{name} does not answer: {why}"
    if "api" not in measured.silent and measured.total("aether_record_up") == 0:
        yield "not measured", "the record does not answer: nothing known of unprotected trades"
