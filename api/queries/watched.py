"""What the watchdog of the trading process says of the workflows that should run."""

import httpx

from api.services import Services


async def silent_workflows(services: Services) -> dict[str, str]:
    """Return those that do not run or do not answer, with the reason; none where nobody tells.

    That the trading process itself does not answer is said where processes are listed.
    """
    url = f"http://127.0.0.1:{services.settings.trading_metrics_port}/readyz"
    try:
        told = (await services.http.get(url)).json()
        return {str(name): str(why) for name, why in told["silent_workflows"].items()}
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return {}
