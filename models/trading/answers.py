"""Answers to requests: accepted, refused, or waiting for another person."""

from dataclasses import dataclass

from models.trading.verdicts import Verdict

WAITING = "waiting-for-approval"
"""The code of an answer that is neither yes nor no: a second person decides."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to. ``code`` is ``accepted`` or the stable code of the refusal.

    Codes become problem types of the API: ``accepted``, ``unknown-pair``, ``not-usd-spot``,
    ``account-halted``, ``kill-switch-engaged``, ``no-exchange``, ``stale-market``,
    ``no-market-data``, ``price-in-doubt``,
    ``book-unknown``, ``book-old``, ``book-one-sided``, ``book-crossed``,
    ``book-too-thin``, ``limit-through-market``, ``equity-unknown``, ``stop-on-wrong-side``,
    ``take-profit-on-wrong-side``, ``below-minimum``,
    ``insufficient-balance``, ``limit-exceeded``, ``not-worth-costs``, ``unproven``,
    ``cost-budget-spent``, ``volatility-unknown``, ``figures-outdated``, ``invalid-quantity``,
    ``invalid-price``, ``unknown-trade``, ``live-refused``, ``trade-closing``, ``worse-protection``,
    ``pair-not-trading`` (the exchange takes no such order for the pair now), ``invalid-limits``,
    ``idea-expired``, ``daily-drawdown``, ``total-drawdown``, ``not-halted``, ``not-simulated``,
    ``invalid-flow``, ``waiting-for-approval`` (``approval`` names what a second person decides),
    ``approval-decided``, ``request-outdated``, ``invalid-exits``, ``break-even-never``,
    ``partial-never``, ``invalid-setting``, ``invalid-change``,
    ``outdated-change``, ``confirmation-needed`` (``dangerous`` names what has to be confirmed).
    """

    request_id: str
    code: str
    detail: str
    trade: int | None = None
    client_order_id: str | None = None
    verdict: Verdict | None = None
    approval: str | None = None
    settings_version: int | None = None
    dangerous: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Tell whether the request was accepted."""
        return self.code == "accepted"
