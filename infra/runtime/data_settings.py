"""Settings of the data that comes from outside: history, sanctions, sentiment, second prices."""

import re
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator
from pydantic_settings import BaseSettings

CRON: Final = r"[0-9*,/-]+( [0-9*,/-]+){4}"
OFF: Final = "off"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class DataSettings(BaseSettings):
    """What is asked of whom, and when. Every schedule is five fields as of cron, in UTC.

    Attributes:
        history_exchange, history_coingecko: REST base address and root of CoinGecko's API whose
            past is filled back; without, Kraken's on its own market, else the simulator's.
        history_coingecko_plan: ``demo`` sends the secret ``coingecko-key`` with what is asked of
            ``history_coingecko`` (``aether data key``), for more calls a minute; else none is sent.
        history_schedule: when the recent history of the universe's pairs is filled back, or
            ``off`` (``AETHER_HISTORY_SCHEDULE``); left out: nightly on Kraken's market, else off.
        second_feed: root of a CoinGecko API that the market's prices are compared with, or
            ``simulator``; empty: nothing is compared.
        sanctions_list: file or address of OFAC's SDN list (``AETHER_SANCTIONS_LIST``), read by
            ``sanctions_schedule``; empty: none is.
        sanctions_schedule: when the list is read (``AETHER_SANCTIONS_SCHEDULE``).
        sentiment: address of the fear-and-greed index in its JSON form (``AETHER_SENTIMENT``), read
            by ``sentiment_schedule``; empty: none is.
        sentiment_schedule: when the index is read (``AETHER_SENTIMENT_SCHEDULE``).
    """

    history_exchange: str = ""
    history_coingecko: str = ""
    history_coingecko_plan: Literal["keyless", "demo"] = "keyless"
    history_schedule: str = ""
    second_feed: str = ""
    sanctions_list: str = ""
    sanctions_schedule: str = "37 5 * * *"
    sentiment: str = ""
    sentiment_schedule: str = "12 */6 * * *"

    @field_validator("sanctions_list", "sentiment")
    @classmethod
    def _is_fetched_privately(cls, source: str) -> str:
        address = urlsplit(source)
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            raise ValueError("another machine is asked by https only")
        return source

    @model_validator(mode="after")
    def _key_goes_privately(self) -> Self:
        address = urlsplit(self.history_coingecko)
        private = address.scheme == "https" or address.hostname in LOOPBACK
        if self.history_coingecko_plan != "keyless" and not private:
            raise ValueError(
                "AETHER_HISTORY_COINGECKO_PLAN sends a key: AETHER_HISTORY_COINGECKO is https://…"
            )
        return self

    @field_validator("sentiment")
    @classmethod
    def _is_an_address(cls, source: str) -> str:
        address = urlsplit(source)
        if source and (address.scheme not in ("http", "https") or not address.hostname):
            raise ValueError("AETHER_SENTIMENT is https://HOST/PATH, or http of this machine")
        return source

    @field_validator("history_schedule", "sanctions_schedule", "sentiment_schedule")
    @classmethod
    def _is_a_schedule(cls, schedule: str) -> str:
        if schedule not in ("", OFF) and not re.fullmatch(CRON, schedule):
            raise ValueError('a schedule has five fields as of cron, "17 2 * * *", or is off')
        return schedule
