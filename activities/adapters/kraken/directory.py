"""Each account's exchange by its mode; a simulated account never holds a live key or address."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from activities.adapters.kraken.addresses import (
    KRAKEN_ADDRESSES,
    AllowedHosts,
    ExchangeAddresses,
)
from activities.adapters.kraken.exchange import KrakenExchange
from activities.adapters.kraken.feed.instrument_watch import InstrumentWatch
from activities.adapters.kraken.limits.cool_down import ADDRESS_SCOPES, KEY_SCOPES, CoolDown
from activities.adapters.kraken.limits.kept_level import KeptLevel
from activities.adapters.kraken.limits.rate_budget import INTERMEDIATE, RateBudget, Tier
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.rest.nonce import (
    FileKeyLock,
    FileNonceStore,
    KeyLock,
    NonceCounter,
    NonceStore,
    key_fingerprint,
)
from activities.adapters.kraken.rest.transport import Timeouts, Transport
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.adapters.kraken.websocket import SILENCE_SECONDS, ConnectionLimiter
from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import CredentialsError
from activities.ports.secrets import Credentials, Secrets
from models.trading.risk.limits import Mode


@dataclass(frozen=True, slots=True)
class LiveGate:
    """Where live accounts trade, and the hosts they may reach. Without one, live is refused."""

    addresses: ExchangeAddresses = KRAKEN_ADDRESSES
    allowed: AllowedHosts = field(default_factory=AllowedHosts.live)


class KrakenDirectory:
    """Implement ``ports.ExchangeDirectory``.

    Args:
        secrets: where keys come from; asked for the key of the account's own mode only.
        simulator: addresses of the exchange simulator, on loopback.
        state_directory: where nonce marks, key locks, levels of rate counters and cool-downs live.
        mode_of: tells an account's mode; every account is simulated unless it says otherwise.
        live: where accounts trade whose mode is live; None: such an account gets no exchange.
        tier: rate limits of the keys.
        stamps_are_wall_clock: whether the exchange stamps executions by the wall clock; the
            simulator does not where its market has a pace of its own.
        watches_pairs: whether the channel ``instrument`` is followed for each exchange in use.
        nonce_store: makes the store of a key's nonce mark, a file by default.
        key_lock: makes the lock of a key, flock by default.
    """

    def __init__(
        self,
        secrets: Secrets,
        simulator: ExchangeAddresses,
        state_directory: Path,
        mode_of: Callable[[str], Awaitable[Mode]] | None = None,
        tier: Tier = INTERMEDIATE,
        timeouts: Timeouts | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        nonce_store: Callable[[str], NonceStore] | None = None,
        key_lock: Callable[[str], KeyLock] | None = None,
        *,
        stamps_are_wall_clock: bool = False,
        live: LiveGate | None = None,
        watches_pairs: bool = False,
    ) -> None:
        self._secrets = secrets
        self._simulator = simulator
        self._mode_of = mode_of
        self._live = live
        self._state_directory = state_directory
        self._tier = tier
        self._timeouts = timeouts
        self._silence = silence_seconds
        self._stamps_are_wall_clock = stamps_are_wall_clock
        self._watches_pairs = watches_pairs
        self._watching: list[asyncio.Task[None]] = []
        self._nonce_store = nonce_store or (
            lambda name: FileNonceStore(state_directory / f"{name}.nonce")
        )
        self._key_lock = key_lock or (lambda name: FileKeyLock(state_directory / f"{name}.lock"))
        self._limiter = ConnectionLimiter()
        self._exchanges: dict[str, KrakenExchange] = {}
        self._rules: dict[str, tuple[PairRules, Transport]] = {}
        self._rests: dict[str, CoolDown] = {}
        self._opening = asyncio.Lock()

    async def exchange(self, account: str) -> Exchange:
        """Return the account's exchange, always the same object.

        Raises:
            CredentialsError: no key for the mode, the key is in use elsewhere, or live is refused.
        """
        async with self._opening:
            known = self._exchanges.get(account)
            if known is None:
                mode = Mode.SIMULATED if self._mode_of is None else await self._mode_of(account)
                known = self._exchanges[account] = await self._open(account, mode)
            return known

    async def switch(self, account: str) -> None:
        """Let go of the account's exchange: the next one is that of its mode as it is now."""
        async with self._opening:
            known = self._exchanges.pop(account, None)
            if known is not None:
                await known.close()

    def opened(self) -> dict[str, KrakenExchange]:
        """Return the exchanges handed out so far, for metrics."""
        return dict(self._exchanges)

    async def _open(self, account: str, mode: Mode) -> KrakenExchange:
        addresses, allowed = self._place(mode)
        credentials = await self._secrets.exchange_credentials(account, mode)
        if credentials is None:
            place = "for the simulator" if mode is Mode.SIMULATED else "to trade live"
            raise CredentialsError(f"account {account!r} has no key {place}")
        return self._connect(credentials, addresses, allowed, mode)

    def _place(self, mode: Mode) -> tuple[ExchangeAddresses, AllowedHosts]:
        """Return where an account of a mode trades, and all that it can reach."""
        if mode is Mode.SIMULATED:
            return self._simulator, AllowedHosts.loopback()
        if self._live is None:
            raise CredentialsError("live is refused here")
        return self._live.addresses, self._live.allowed

    def _connect(
        self,
        credentials: Credentials,
        addresses: ExchangeAddresses,
        allowed: AllowedHosts,
        mode: Mode,
    ) -> KrakenExchange:
        name = key_fingerprint(credentials.key)
        lock = self._key_lock(name)
        lock.acquire()
        try:
            nonces = NonceCounter(self._nonce_store(name))
            kept_reads = KeptLevel(self._state_directory / f"{name}.reads")
            transport = Transport(
                addresses.rest,
                allowed,
                credentials,
                nonces,
                self._timeouts,
                CoolDown(self._state_directory / f"{name}.cooldown", scopes=KEY_SCOPES),
                self._address_rest(addresses.rest),
            )
        except BaseException:
            lock.release()
            raise
        budget = RateBudget(self._tier, kept_reads=kept_reads)
        on_wall_clock = self._stamps_are_wall_clock or mode is Mode.LIVE
        return KrakenExchange(
            transport,
            budget,
            lambda exchange: PrivateStream(
                addresses.private_ws,
                allowed,
                exchange.websocket_token,
                self._limiter,
                self._silence,
                learn=exchange.learn,
                clock=exchange.clock,
                stamps_are_wall_clock=on_wall_clock,
            ),
            lock,
            mode,
            self._rules_of(addresses, allowed),
        )

    def _address_rest(self, address: str) -> CoolDown:
        """Return what all keys of an address must not ask: limits go by our own address, too."""
        if address not in self._rests:
            path = self._state_directory / f"{key_fingerprint(address)}.address.cooldown"
            self._rests[address] = CoolDown(path, scopes=ADDRESS_SCOPES)
        return self._rests[address]

    def _rules_of(self, addresses: ExchangeAddresses, allowed: AllowedHosts) -> PairRules:
        """Return the rules of an exchange's pairs, the same for all accounts that trade there."""
        if addresses.rest not in self._rules:
            transport = Transport(addresses.rest, allowed, timeouts=self._timeouts)
            rules = PairRules(transport.public)
            self._rules[addresses.rest] = rules, transport
            if self._watches_pairs:
                watch = InstrumentWatch(addresses.public_ws, allowed, rules, self._silence)
                self._watching.append(asyncio.create_task(watch.run()))
        return self._rules[addresses.rest][0]

    async def close(self) -> None:
        """Close every exchange handed out."""
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            await exchange.close()
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching.clear()
        owned, self._rules = self._rules, {}
        for rules, transport in owned.values():
            await rules.close()
            await transport.close()
