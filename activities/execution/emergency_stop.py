"""The emergency stop in the memory of the process that sends orders."""

from infra.runtime.emergency import StopOrder


class EmergencyStop:
    """Which accounts send no entries, whatever record and workflows say."""

    def __init__(self) -> None:
        self._standing: list[StopOrder] = []

    @property
    def standing(self) -> tuple[StopOrder, ...]:
        """Return the orders that stand, oldest first."""
        return tuple(self._standing)

    def engage(self, order: StopOrder) -> None:
        """Stop from now on; the same order again changes nothing."""
        if order not in self._standing:
            self._standing.append(order)

    def hand_over(self, order: StopOrder) -> None:
        """Let go of an order whose flag stands in the record now."""
        if order in self._standing:
            self._standing.remove(order)

    def stops(self, account: str) -> bool:
        """Tell whether an account may send no entry."""
        return any(order.concerns(account) for order in self._standing)
