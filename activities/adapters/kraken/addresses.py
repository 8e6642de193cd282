"""Which addresses an account may talk to: in simulation loopback only, by construction (S-1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from activities.adapters.kraken.errors import ForbiddenAddressError

_PUBLIC_KRAKEN_HOSTS = frozenset({"api.kraken.com", "ws.kraken.com"})
_TRADING_HOSTS = frozenset({"api.kraken.com", "ws-auth.kraken.com"})


@dataclass(frozen=True, slots=True)
class ExchangeAddresses:
    """Where one exchange is: REST base, public and authenticated WebSocket."""

    rest: str
    public_ws: str
    private_ws: str


KRAKEN_ADDRESSES = ExchangeAddresses(
    rest="https://api.kraken.com",
    public_ws="wss://ws.kraken.com/v2",
    private_ws="wss://ws-auth.kraken.com/v2",
)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts that connections may be opened to; anything else is refused before a socket is."""

    names: frozenset[str] = frozenset()
    this_machine: bool = True

    @classmethod
    def loopback(cls) -> "AllowedHosts":
        """Allow this machine only: what a simulated account gets."""
        return cls()

    @classmethod
    def public_data(cls) -> "AllowedHosts":
        """Allow loopback and Kraken's public data hosts, where no order can be sent."""
        return cls(_PUBLIC_KRAKEN_HOSTS)

    @classmethod
    def kraken_data(cls) -> "AllowedHosts":
        """Allow Kraken's public data hosts only, not this machine: prices that live orders need."""
        return cls(_PUBLIC_KRAKEN_HOSTS, this_machine=False)

    @classmethod
    def live(cls) -> "AllowedHosts":
        """Allow Kraken's trading hosts only: what a live account gets, never the simulator."""
        return cls(_TRADING_HOSTS, this_machine=False)

    def check(self, url: str) -> None:
        """Raise ForbiddenAddressError unless the URL's host is allowed."""
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            host = ""
        own = self.this_machine and (host == "localhost" or _is_loopback(host))
        if own or (host in self.names and _is_tls(url)):
            return
        raise ForbiddenAddressError(f"address was {host or url!r}, which is not allowed here")


class GuardedAdapter(HTTPAdapter):
    """The only way out of a session: refuses a host that is not allowed, redirects included."""

    def __init__(self, allowed: AllowedHosts, connections: int = 4) -> None:
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)
        self._allowed = allowed

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - a proxy would hide the host
    ) -> requests.Response:
        """Send the request when its host is allowed."""
        self._allowed.check(request.url or "")
        return super().send(request, stream, timeout, verify, cert, None)


def guarded_session(allowed: AllowedHosts) -> requests.Session:
    """Return a pooled session without proxies, redirects or retries, bound to the allowed hosts."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.adapters.clear()
    adapter = GuardedAdapter(allowed)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = "aether/0.1 (krakenex)"
    return session


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_tls(url: str) -> bool:
    return urlsplit(url).scheme in ("https", "wss")
