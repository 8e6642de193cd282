"""From options to a listening exchange: accounts, market, memory, web server, and back down."""

import asyncio
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from infra.runtime.control_token import control_token
from infra.runtime.http.limits import allow_many_descriptors
from models.simulation.gateway.rates import VerificationTier
from models.simulation.markets.generated import GeneratedMarket
from models.simulation.markets.replay import PathAssumption
from models.simulation.outcomes import AccountSetup
from models.simulation.venue import Venue
from workers.exchange.accounts import AccountKey, generate_accounts, load_accounts
from workers.exchange.app import HEALTH, build_app
from workers.exchange.authentication import Authenticator
from workers.exchange.clock import ProtocolClock
from workers.exchange.errors import StartError
from workers.exchange.guard import LiveAccounts, guarding
from workers.exchange.limits import listen
from workers.exchange.market.choice import Market, open_market
from workers.exchange.market.pacing import run_live, run_paced, run_timers
from workers.exchange.runtime import Exchange
from workers.exchange.state.journal import StateDirectory
from workers.exchange.state.memory import Memory

HOST = "127.0.0.1"
MAXIMUM_SPEED = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is started.

    Attributes:
        port: 0 chooses a free one.
        speed: market time per wall time, or ``lockstep``.
        state: directory that keeps the exchange over restarts; None keeps nothing.
        accounts: keys file; None uses the one in the state directory, created at first start.
        warmup_bars: bars of history that a new generated market has before it opens.
        path: which extreme of a replayed bar comes first.
        control_token: file of the control endpoint's bearer token, made where it is missing; None
            uses one in the state directory.
        host_names: names besides loopback's by which the port is reached.
        live_accounts: tells which accounts trade live, None where none can.
    """

    port: int = 0
    market: str = "generated"
    speed: str = "1"
    state: Path | None = None
    accounts: Path | None = None
    seed: int = 20260101
    bar_minutes: int = 1
    warmup_bars: int = 0
    path: PathAssumption = PathAssumption.WORST_FIRST
    control_token: Path | None = None
    host_names: frozenset[str] = frozenset()
    live_accounts: LiveAccounts | None = None


class Server:
    """One exchange listening on loopback."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.accounts: list[AccountKey] = []
        self.port = 0
        self._exchange: Exchange | None = None
        self._memory = Memory(None)
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def exchange(self) -> Exchange:
        """Return the exchange of a started server."""
        assert self._exchange is not None
        return self._exchange

    async def start(self) -> None:
        """Open state and market, listen, and let the market move.

        Raises:
            StartError: one line that says why and what to do.
        """
        options = self.options
        speed = parse_speed(options.speed)
        if options.state is not None:
            directory = StateDirectory(options.state)
            directory.open()
            self._memory = Memory(directory)
        try:
            await self._open(speed)
        except BaseException:
            await self.stop(keep=False)
            raise

    async def _open(self, speed: float | None) -> None:
        options = self.options
        self.accounts = self._load_accounts()
        market = await open_market(
            options.market,
            seed=options.seed,
            bar_minutes=options.bar_minutes,
            lockstep=speed is None,
            warmup_bars=options.warmup_bars,
            path=options.path,
        )
        self._exchange = exchange = self._build(market)
        self._recall(exchange)
        app = build_app(exchange, options.speed, self._guard(), self._accounts_file())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            self._listening = await listen(self._runner, HOST, options.port, backlog=1024)
        except OSError as error:
            reason = f"port {options.port} cannot be used: {error.strerror}"
            raise StartError(reason) from None
        self.port = self._listening.sockets[0].getsockname()[1]
        moving = app[HEALTH].tasks
        moving["timers"] = asyncio.create_task(run_timers(exchange))
        if market.live is not None:
            moving["market"] = asyncio.create_task(run_live(exchange, market.live))
        elif speed is not None:
            moving["market"] = asyncio.create_task(run_paced(exchange, speed))
        self._tasks = [*moving.values()]

    async def stop(self, *, keep: bool = True) -> None:
        """Stop listening and, if asked, write the state down."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._exchange is not None:
            if keep:
                self._memory.write(self._exchange.state())
            if self._exchange.market.live is not None:
                await self._exchange.market.live.close()
        self._memory.close()

    def describe(self) -> dict[str, Any]:
        """Return the line that ``aether exchange serve`` prints when it is listening."""
        web_address = f"http://{HOST}:{self.port}"
        socket_address = f"ws://{HOST}:{self.port}"
        return {
            "rest": web_address,
            "ws_public": f"{socket_address}/v2",
            "ws_private": f"{socket_address}/private/v2",
            "control": f"{web_address}/control",
            "coingecko": f"{web_address}/coingecko/api/v3",
            "keys": [
                {"account": entry.account, "key": entry.key, "secret": entry.secret}
                for entry in self.accounts
            ],
            "market": self.options.market,
            "speed": self.options.speed,
        }

    def _guard(self) -> Middleware:
        options, path = self.options, self.options.control_token
        if path is None and options.state is not None:
            path = options.state / "control-token"
        token = None if path is None else control_token(path)
        return guarding(options.host_names, token, options.live_accounts)

    def _accounts_file(self) -> Path | None:
        if self.options.accounts is not None:
            return self.options.accounts
        return None if self.options.state is None else self.options.state / "accounts.json"

    def _load_accounts(self) -> list[AccountKey]:
        path = self._accounts_file()
        if path is None:
            raise StartError("without a state directory the accounts must be given: --accounts")
        if self.options.accounts is not None:
            return load_accounts(path)
        return load_accounts(path) if path.exists() else generate_accounts(path)

    def _build(self, market: Market) -> Exchange:
        clock = ProtocolClock()
        venue = Venue(
            instruments=market.universe.instruments.values(),
            accounts=_setups(self.accounts),
            seed=self.options.seed,
            start=market.start_time(),
            options=market.options,
        )
        authenticator = Authenticator(self.accounts, clock)
        return Exchange(market, venue, authenticator, clock, self._memory)

    def _recall(self, exchange: Exchange) -> None:
        """Go on from the state directory, or begin anew and say so in it."""
        directory = self._memory.directory
        if directory is not None:
            snapshot, inputs = directory.load()
            if snapshot is not None:
                self._check_owner(snapshot, directory.path)
                _restore(exchange, snapshot, directory.path)
                self._memory.resume(_repeat(exchange, inputs, directory.path))
                return
        source = exchange.market.source
        if isinstance(source, GeneratedMarket):
            history = timedelta(minutes=source.bar_minutes * self.options.warmup_bars)
            opening = source.start_time() + history
            source.open_at(opening)
            exchange.warm_up(opening.timestamp())
        self._memory.write(exchange.state())

    def _check_owner(self, snapshot: dict[str, Any], path: Path) -> None:
        """Refuse to go on with another market or other accounts than the state was made with."""
        made = {"market": snapshot["market"], "accounts": sorted(snapshot["accounts"])}
        asked = {
            "market": self.options.market,
            "accounts": sorted({entry.account for entry in self.accounts}),
        }
        for name, value in made.items():
            if value != asked[name]:
                raise StartError(
                    f"the exchange's state in {path} belongs to {name} {value}, not {asked[name]}: "
                    "start it as before, or choose another directory with --state"
                )


def parse_speed(speed: str) -> float | None:
    """Return market time per wall time, None for lockstep."""
    if speed == "lockstep":
        return None
    try:
        value = float(speed)
    except ValueError:
        value = 0.0
    if not 0 < value <= MAXIMUM_SPEED:
        raise StartError(f"the speed was {speed!r}: choose a number above zero, or lockstep")
    return value


def _setups(accounts: list[AccountKey]) -> list[AccountSetup]:
    """Return one setup per account; further keys of an account bring no money."""
    setups: dict[str, AccountSetup] = {}
    for entry in accounts:
        setups.setdefault(
            entry.account,
            AccountSetup(
                name=entry.account,
                balances=entry.balances or {"USD": Decimal(0)},
                tier=VerificationTier(entry.tier),
                volume_30d=entry.volume,
            ),
        )
    return list(setups.values())


def _restore(exchange: Exchange, snapshot: dict[str, Any], path: Path) -> None:
    with _fitting(path):
        exchange.restore(snapshot)


def _repeat(exchange: Exchange, inputs: Iterable[list[Any]], path: Path) -> float:
    """Apply the inputs again; return the seconds that it took."""
    started = time.perf_counter()
    with _fitting(path):
        for record in inputs:
            exchange.repeat(record)
    return time.perf_counter() - started


@contextmanager
def _fitting(path: Path) -> Iterator[None]:
    """Say what to do about a state that does not fit."""
    try:
        yield
    except StartError:
        raise
    except Exception as error:
        # Whatever a state of another version or another hand does, the way out is the same.
        raise StartError(
            f"the exchange's state in {path} does not fit ({type(error).__name__}: {error}). Move "
            "the directory away to start a new exchange, or choose another with --state"
        ) from error


async def serve(options: Options, announce: Any) -> None:
    """Run a server until SIGINT or SIGTERM; ``announce`` gets its description when it listens."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    allow_many_descriptors()
    server = Server(options)
    await server.start()
    announce(server.describe())
    try:
        await ended.wait()
    finally:
        await server.stop()
