"""Posting over HTTP to addresses that people have given: nowhere inside the platform's network."""

import errno
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from activities.ports.notifications import DeliveryFailedError, DeliveryRefusedError

TIMEOUT_SECONDS = 15.0
LONGEST_ANSWER = 4_096
LONGEST_WAIT_SECONDS = 3_600.0
_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6: what else Python calls global leads back into networks."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAY_PASS = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


class Destinations:
    """Which hosts may be reached: any public one over TLS, and those that the operator names.

    Args:
        private: ``host:port`` of services in the operator's own network, also without TLS.
    """

    def __init__(self, private: frozenset[str] = frozenset()) -> None:
        self._private = private

    def check(self, url: str) -> None:
        """Refuse an address before anything is sent there.

        Raises:
            DeliveryRefusedError: it is none, has no TLS, or lies in a private network.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if not host or parts.username is not None or parts.scheme not in ("http", "https"):
            raise DeliveryRefusedError("the address is no http(s) address")
        if self.is_named(host, port or (443 if parts.scheme == "https" else 80)):
            return
        if parts.scheme != "https":
            raise DeliveryRefusedError("the address must be https")
        if _is_literal(host) and not _is_public(host):
            raise DeliveryRefusedError("the address lies in a private network")

    def is_named(self, host: str, port: int) -> bool:
        """Tell whether the operator allows a private host."""
        return f"{host}:{port}" in self._private


class GuardedResolver(AbstractResolver):
    """Resolves names to public addresses only, at the moment of connecting (no rebinding)."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            OSError: it has none that is public.
        """
        found = await self._inner.resolve(host, port, family)
        if self._destinations.is_named(host, port):
            return found
        public = [one for one in found if _is_public(one["host"])]
        if not public:
            raise OSError(errno.EACCES, f"{host} lies in a private network")
        return public

    async def close(self) -> None:
        """Release nothing: nothing is held."""
        await self._inner.close()


async def post(
    destinations: Destinations,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    form: Mapping[str, str] | None = None,
    secret: str = "",
) -> bytes:
    """Post once and return the beginning of the answer; redirects are not followed.

    Args:
        destinations: where posting is allowed.
        url: the address.
        headers: of the request.
        body: what is sent as it is.
        form: what is sent as a form.
        secret: a part of the address that no message may show.

    Raises:
        DeliveryFailedError: nobody answered, or the answer asks to try again.
        DeliveryRefusedError: the answer is final, or the address is not allowed.
    """
    destinations.check(url)
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(destinations), force_close=True)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.post(
                url, data=body if form is None else form, headers=headers, allow_redirects=False
            ) as answer,
        ):
            content = await answer.content.read(LONGEST_ANSWER)
            _judge(answer.status, answer.headers.get("Retry-After"), content, secret)
            return content
    except (aiohttp.ClientError, OSError, TimeoutError, ssl.SSLError) as error:
        words = _hidden(f"{type(error).__name__}: {error}", secret)
        raise DeliveryFailedError(words) from None


def _judge(status: int, retry_after: str | None, content: bytes, secret: str) -> None:
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    said = _hidden(content[:200].decode("utf-8", "replace"), secret)
    words = f"HTTP {status}: {said}"
    if status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise DeliveryFailedError(words, seconds(retry_after))
    raise DeliveryRefusedError(words)


def seconds(told: Any) -> float | None:
    """Return how long a server asks to wait, None when it does not say it in seconds."""
    try:
        wait = float(told)
    except (TypeError, ValueError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS) if wait == wait else None  # noqa: PLR0124  # NaN


def _hidden(words: str, secret: str) -> str:
    return words.replace(secret, "…") if secret else words


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(host: str) -> bool:
    address = _behind(ipaddress.ip_address(host.partition("%")[0]))
    if address.version == 6 and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def _behind(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address that is reached in the end where a network translates from IPv6."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
