"""`aether reconcile`: what comparing accounts with the exchange has found."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.measurements_text import duration
from infra.runtime.settings import Settings

app = typer.Typer(help="Our record against the exchange, which holds the truth.")

SHOWN = 5
LISTED = 12

# The name of an order fits a line; of a hundred fills only their number does.
Names = Mapping[str, list[str]]


@app.callback()
def _group() -> None:
    """Compare with the exchange: done by the platform every two minutes and after every gap."""


@app.command()
def report(
    account: Annotated[str | None, typer.Argument(help="Only this account.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell when accounts were last compared, what was repaired, and which orders nobody owns.

    Exit code 1 while a difference stands or an account was never compared.
    """
    with ApiClient(Settings()) as api:
        names = [account] if account else [one["account"] for one in api.get("/accounts")]
        found = [gathered(api, name) for name in names]
    if as_json:
        typer.echo(json.dumps(found))
    else:
        now = datetime.now(UTC)
        typer.echo("\n".join(line for one in found for line in lines(one, now)))
    raise typer.Exit(0 if all(is_clean(one) for one in found) else 1)


def gathered(api: ApiClient, account: str) -> dict[str, Any]:
    """Ask the API for everything that the report tells of an account."""
    path = f"/accounts/{segment(account)}"
    last = api.get(f"{path}/reconciliations", complete=True, limit=1)
    return {
        "account": account,
        "halts": api.get(path)["halts"],
        "last": last[0] if last else None,
        "eventful": api.get(f"{path}/reconciliations", eventful=True, limit=SHOWN),
        "unknown_orders": api.get(f"{path}/unknown-orders"),
    }


def is_clean(found: Mapping[str, Any]) -> bool:
    """Tell whether an account was compared and nothing stands."""
    last = found["last"]
    standing = any(order["standing"] for order in found["unknown_orders"])
    return last is not None and last["clean"] and not standing


def lines(found: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield the report on an account."""
    last = found["last"]
    if last is None:
        yield f"{found['account']}: never compared with the exchange yet"
    else:
        age = duration((now - _moment(last["at"])).total_seconds())
        words = "nothing differs" if last["clean"] else "DIFFERENCES STAND"
        yield f"{found['account']}: compared {age} ago (number {last['number']}), {words}"
        yield from _named("differs", last["differences"])
    for halt in found["halts"]:
        yield f"  no entries: {halt['kind']}, {halt['reason']}"
    for order in found["unknown_orders"]:
        yield from _unknown(order)
    earlier = [one for one in found["eventful"] if last is None or one["number"] != last["number"]]
    shown = [last, *earlier] if last is not None and last["repaired"] else earlier
    for one in shown:
        yield from _event(one)


def _unknown(order: Mapping[str, Any]) -> Iterator[str]:
    since, until = _when(order["first_seen"]), _when(order["last_seen"])
    if order["standing"]:
        yield f"  QUARANTINED {order['order_id']}: {_described(order['described'])}"
        yield f"    on the key since {since}; not ours, so neither cancelled nor adopted:"
        yield "    a person has to deal with it at the exchange"
    else:
        yield f"  was quarantined {order['order_id']}: {_described(order['described'])}"
        yield f"    on the key from {since} to {until}; gone since, or explained"


def _described(order: Mapping[str, Any]) -> str:
    if not order:
        return "not described"
    prices = [
        f"{name} {order[f'{name}_price']}" for name in ("limit", "trigger") if _has(order, name)
    ]
    words = [order["side"], order["quantity"], order["symbol"], order["order_type"], *prices]
    return " ".join(str(word) for word in words)


def _has(order: Mapping[str, Any], name: str) -> bool:
    return order.get(f"{name}_price") is not None


def _event(one: Mapping[str, Any]) -> Iterator[str]:
    source = "comparison" if one["complete"] else "private stream"
    yield f"  {_when(one['at'])}, {source} {one['number']}:"
    yield from _named("  repaired", one["repaired"])
    yield from _named("  found", one["differences"])


def _named(verb: str, names: Names) -> Iterator[str]:
    for kind, items in names.items():
        more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
        words = kind.replace("_", " ")
        yield f"  {verb} {words} ({len(items)}): {', '.join(items[:LISTED])}{more}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _when(text: str) -> str:
    return _moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
