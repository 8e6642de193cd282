"""Where prices come from that decisions rest on."""

import pytest

from activities.adapters.kraken.errors import ForbiddenAddressError
from infra.runtime.settings import Settings
from workers.live_accounts import live_accounts_of
from workers.market_assembly import market_feed


@pytest.mark.parametrize("speed", ["1", "2"])
async def test_on_krakens_market_prices_come_from_kraken_and_never_from_the_simulator(speed):
    settings = Settings(market="kraken", speed=speed)
    feed = market_feed(settings)
    assert feed._url == "wss://ws.kraken.com/v2"
    feed._allowed.check("https://api.kraken.com/0/public/Ticker")
    for address in (settings.exchange_url, settings.exchange_public_ws, "http://api.kraken.com"):
        with pytest.raises(ForbiddenAddressError):
            feed._allowed.check(address)
    await feed.close()


async def test_on_any_other_market_they_come_from_the_simulator_and_nobody_trades_live():
    settings = Settings(market="generated", speed="")
    feed = market_feed(settings)
    assert feed._url == settings.exchange_public_ws
    with pytest.raises(ForbiddenAddressError):
        feed._allowed.check("wss://ws.kraken.com/v2")
    await feed.close()
    assert live_accounts_of(settings) is None
    assert live_accounts_of(Settings(market="kraken", speed="")) is not None
