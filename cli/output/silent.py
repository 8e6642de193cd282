"""What the watchdog of the trading process says of the workflows that should run."""

import asyncio
import json
import urllib.error
import urllib.request
from http.client import HTTPException

from infra.runtime.settings import Settings

WATCHDOG = "the watchdog"
ASK_SECONDS = 2.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""No proxy is asked for what is on this machine."""


async def silent_workflows(settings: Settings) -> dict[str, str]:
    """Return the workflows that do not run or do not answer, each with the reason.

    Where nobody looks, that is named too: an account that nobody watches may have ended.
    """
    return await asyncio.to_thread(_ask, settings)


def _ask(settings: Settings) -> dict[str, str]:
    url = f"http://127.0.0.1:{settings.trading_metrics_port}/readyz"
    try:
        try:
            with _DIRECT.open(url, timeout=ASK_SECONDS) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        told = json.loads(body)
        silent: dict[str, str] = dict(told["silent_workflows"])
        looked = str(told["checks"].get("workflows", "has not looked yet"))
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
        return {WATCHDOG: f"does not answer: {error}"}
    if not silent and looked != "ok":
        return {WATCHDOG: looked}
    return silent
