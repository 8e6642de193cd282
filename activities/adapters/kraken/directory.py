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
from activities.adapters.kraken.limits.persisted_counter import PersistedCounter
from activities.adapters.kraken.limits.rate_budget import INTERMEDIATE, RateBudget, Tier
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.rest.key_rights import key_permissions
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
from models.trading.governance.exchange_keys import judge_permissions
from models.trading.risk.limits import Mode

Custody = Callable[[str, Credentials, Mode], tuple[NonceStore, KeyLock]]
"""Makes the store of the nonce mark, and the lock, of an account's key in a mode."""


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
        custody: makes both for an account's key in a mode, instead of the two.
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
        custody: Custody | None = None,
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
        self._custody = custody or self._custody_by_name
        self._keys: dict[str, Credentials] = {}
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
            self._keys.pop(account, None)
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
        opened = self._connect(account, credentials, addresses, allowed, mode)
        self._keys[account] = credentials
        return opened

    def _place(self, mode: Mode) -> tuple[ExchangeAddresses, AllowedHosts]:
        """Return where an account of a mode trades, and all that it can reach."""
        if mode is Mode.SIMULATED:
            return self._simulator, AllowedHosts.loopback()
        if self._live is None:
            raise CredentialsError("live is refused here")
        return self._live.addresses, self._live.allowed

    async def take_up_key(
        self, account: str, is_recorded: Callable[[str], bool] = lambda _: True
    ) -> Credentials | None:
        """Go over to the account's stored key if it is another one than the one in use.

        It is tried first: one that does not work, may withdraw, or is not the one that
        ``is_recorded`` knows by its public half, is left alone. Calls under way end with the key
        before, so that trading does not stop.

        Returns:
            The new key; None where nothing was to be done.

        Raises:
            ExchangeError: the stored key cannot be used; the one before goes on.
        """
        known = self._exchanges.get(account)
        if known is None:
            return None
        mode = known.mode
        stored = await self._secrets.exchange_credentials(account, mode)
        if stored is None or stored == self._keys.get(account):
            return None
        if not is_recorded(stored.key):
            raise CredentialsError(f"the stored key of {account} is not the one in the record")
        store, lock = self._custody(account, stored, mode)
        is_same_key = stored.key == self._keys[account].key
        if is_same_key:
            raise CredentialsError(f"the private key of {account} was changed, and its key was not")
        lock.acquire()
        try:
            nonces = NonceCounter(store)
            await self._try(stored, nonces, mode)
        except BaseException:
            lock.release()
            raise
        async with self._opening:
            if self._exchanges.get(account) is not known:
                lock.release()
                return None
            known.signing.use_key(stored, nonces, lock, self._key_rest(key_fingerprint(stored.key)))
            self._keys[account] = stored
        return stored

    async def _try(self, credentials: Credentials, nonces: NonceCounter, mode: Mode) -> None:
        addresses, allowed = self._place(mode)
        transport = Transport(addresses.rest, allowed, credentials, nonces, self._timeouts)
        try:
            judgement = judge_permissions(await key_permissions(transport))
        finally:
            await transport.close()
        if not judgement.is_fit:
            raise CredentialsError(judgement.reason)

    def key_in_use(self, account: str) -> tuple[Mode, str] | None:
        """Return the mode and the public half of the key that an account trades with now."""
        known, key = self._exchanges.get(account), self._keys.get(account)
        return None if known is None or key is None else (known.mode, key.key)

    def _custody_by_name(
        self, account: str, credentials: Credentials, mode: Mode
    ) -> tuple[NonceStore, KeyLock]:
        del account, mode
        name = key_fingerprint(credentials.key)
        return self._nonce_store(name), self._key_lock(name)

    def _key_rest(self, name: str) -> CoolDown:
        return CoolDown(self._state_directory / f"{name}.cooldown", scopes=KEY_SCOPES)

    def _connect(
        self,
        account: str,
        credentials: Credentials,
        addresses: ExchangeAddresses,
        allowed: AllowedHosts,
        mode: Mode,
    ) -> KrakenExchange:
        name = key_fingerprint(credentials.key)
        store, lock = self._custody(account, credentials, mode)
        lock.acquire()
        try:
            nonces = NonceCounter(store)
            kept_reads = PersistedCounter(self._state_directory / f"{name}.reads")
            transport = Transport(
                addresses.rest,
                allowed,
                credentials,
                nonces,
                self._timeouts,
                self._key_rest(name),
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
