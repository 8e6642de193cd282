"""The one error of the exchange model: a refusal in Kraken's own words."""


class VenueError(Exception):
    """Refuse a request. ``text`` is Kraken's error string, such as ``EOrder:Unknown order``.

    Nothing was placed, canceled or changed when this is raised; the trading-engine rate counter
    may still have been charged (kraken-protocol §4.2).
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
