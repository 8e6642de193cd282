"""`aether trade`: open, close, show, list, move the stop."""

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.tables import Figures
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

app = typer.Typer(help="Open, close and list trades.", no_args_is_help=True)

COLUMNS = ("trade", "pair", "phase", "bought", "entry", "stop", "exit", "reason", "PnL USD")
UNSTATED = "unstated"
"""The basis of a trade that is older than assessments of it."""
AMOUNTS = frozenset({"bought", "entry", "stop", "exit", "PnL USD"})

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[
    str | None,
    typer.Option(help="Idempotency key: a repeat with it does nothing twice.", metavar="TEXT"),
]


@app.command("open")
def open_trade(
    account: Account,
    symbol: Annotated[str, typer.Argument(help="The pair, for example BTC/USD.")],
    stop: Annotated[str, typer.Option("--stop", help="Stop price (required).")],
    *,
    quantity: Annotated[
        str | None, typer.Option(help="Base quantity; sized when left out.")
    ] = None,
    limit: Annotated[str | None, typer.Option(help="Limit price; a market order without.")] = None,
    take_profit: Annotated[str | None, typer.Option(help="Take-profit price.")] = None,
    trail: Annotated[str | None, typer.Option(help="Trailing distance in USD.")] = None,
    protection: Annotated[str | None, typer.Option(help="attached or separate.")] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Open a trade; the account sizes it unless a quantity is given."""
    body = {
        "symbol": symbol,
        "order_type": "limit" if limit else "market",
        "stop_price": stop,
        "quantity": quantity,
        "limit_price": limit,
        "take_profit_price": take_profit,
        "trailing_distance": trail,
        "protection": protection,
    }
    given = {name: value for name, value in body.items() if value is not None}
    with ApiClient(Settings()) as api:
        answer = api.post(f"/accounts/{segment(account)}/trades", given, key)
    _show(answer, as_json=as_json)


@app.command("close")
def close_trade(
    account: Account,
    number: Annotated[int, typer.Argument(help="The trade's number.")],
    *,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Close a trade now, at market."""
    path = f"/accounts/{segment(account)}/trades/{number}/close"
    with ApiClient(Settings()) as api:
        answer = api.post(path, key=key)
    _show(answer, as_json=as_json)


@app.command("move-stop")
def move_stop(
    account: Account,
    number: Annotated[int, typer.Argument(help="The trade's number.")],
    *,
    stop: Annotated[str | None, typer.Option(help="New stop price.")] = None,
    take_profit: Annotated[str | None, typer.Option(help="New take-profit price.")] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Move the exits of an open trade, never to a worse protection."""
    body = {"stop_price": stop, "take_profit_price": take_profit}
    given = {name: value for name, value in body.items() if value is not None}
    if not given:
        raise ConfigurationError("say where to: --stop, --take-profit or both")
    path = f"/accounts/{segment(account)}/trades/{number}/stop"
    with ApiClient(Settings()) as api:
        answer = api.patch(path, given, key)
    _show(answer, as_json=as_json)


@app.command("exits")
def change_exits(
    account: Account,
    number: Annotated[int, typer.Argument(help="The trade's number.")],
    *,
    stop: Annotated[str | None, typer.Option(help="Stop price.")] = None,
    take_profit: Annotated[str | None, typer.Option(help="Take-profit price.")] = None,
    trail: Annotated[str | None, typer.Option(help="Trailing distance in USD.")] = None,
    trail_share: Annotated[str | None, typer.Option(help="The same as a share: 0.03.")] = None,
    trail_ranges: Annotated[str | None, typer.Option(help="The same in true ranges: 3.")] = None,
    hold_seconds: Annotated[int | None, typer.Option(help="Close after this market time.")] = None,
    break_even: Annotated[str | None, typer.Option(help="Gain that moves the stop up.")] = None,
    partial: Annotated[
        list[str] | None, typer.Option(help="GAIN:SHARE to sell; repeatable: 0.02:0.5.")
    ] = None,
    clear: Annotated[list[str] | None, typer.Option(help="An exit to be gone; repeatable.")] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Change any exit of an open trade; what protects less waits for a second person."""
    body: dict[str, Any] = {
        "stop_price": stop,
        "take_profit_price": take_profit,
        "trailing_distance": trail,
        "trailing_share": trail_share,
        "trailing_multiple": trail_ranges,
        "hold_seconds": hold_seconds,
        "break_even_gain": break_even,
        "partials": [_partial(text) for text in partial] if partial else None,
        "clear": clear or None,
    }
    given = {name: value for name, value in body.items() if value is not None}
    if not given:
        raise ConfigurationError(
            "say what changes, for example --stop or --clear take_profit_price"
        )
    path = f"/accounts/{segment(account)}/trades/{number}/exits"
    with ApiClient(Settings()) as api:
        answer = api.patch(path, given, key)
    _show(answer, as_json=as_json)


@app.command("show")
def show_trade(
    account: Account,
    number: Annotated[int, typer.Argument(min=1, help="The trade's number.")],
    *,
    as_json: Json = False,
) -> None:
    """Show one trade: its figures, on what its entry rests, and what it was decided by."""
    path = f"/accounts/{segment(account)}/trades/{number}"
    with ApiClient(Settings()) as api:
        trade = api.get(path)
        assessed = api.get(f"{path}/assessment") if trade["basis"] != UNSTATED else None
    if as_json:
        typer.echo(json.dumps({"trade": trade, "assessment": assessed}))
        return
    for name, value in trade.items():
        if value not in (None, [], {}) and name != "exits":
            typer.echo(f"{name}: {value}")
    for check in assessed["checks"] if assessed else ():
        typer.echo(
            f"  {'ok     ' if check['passed'] else 'REFUSED'} {check['rule']} {check['reason']}"
        )


@app.command("list")
def list_trades(
    account: Annotated[str | None, typer.Argument(help="Only this account's.")] = None,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those not settled.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the trades of one account, or of all, newest first."""
    with ApiClient(Settings()) as api:
        names = [account] if account else [row["account"] for row in api.get("/accounts")]
        found = {
            name: api.get(f"/accounts/{segment(name)}/trades", open=only_open, limit=limit)
            for name in names
        }
    if as_json:
        typer.echo(json.dumps(found[account] if account else found))
        return
    table = Figures(COLUMNS, right=AMOUNTS)
    for name, trades in found.items():
        for trade in trades:
            table.add(f"{name} {trade['number']}", *_row(trade))
    table.show()


def _partial(text: str) -> dict[str, str]:
    gain, colon, share = text.partition(":")
    if not (gain and colon and share):
        raise ConfigurationError(
            f"{text} is no partial sale: write GAIN:SHARE, for example 0.02:0.5"
        )
    return {"gain_share": gain, "quantity_share": share}


def _row(trade: dict[str, Any]) -> list[str]:
    names = ("symbol", "phase", "bought", "average_entry_price", "stop_price")
    tail = ("average_exit_price", "exit_reason", "pnl")
    return [_figure(name, trade[name]) for name in (*names, *tail)]


def _figure(name: str, value: Any) -> str:
    """Return a value's text; an average is a quotient, ten digits of which are enough to read."""
    if value is None:
        return ""
    if not name.startswith("average_"):
        return str(value)
    average = Decimal(str(value))
    step = Decimal(1).scaleb(average.adjusted() - 9)
    return f"{average.quantize(step) if average else average:f}"


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
        return
    trade = "" if answer["trade"] is None else f" trade {answer['trade']}"
    approval = "" if answer["approval"] is None else f" [approval {answer['approval']}]"
    typer.echo(f"{answer['code']}{trade}: {answer['detail']}".rstrip(": ") + approval)
