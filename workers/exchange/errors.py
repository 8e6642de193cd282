"""Failures of the simulator: those it answers in Kraken's words and those that stop it."""


class ApiError(Exception):
    """A refusal in Kraken's own words; REST answers it with HTTP 200 and an error list."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StartError(Exception):
    """The server cannot start; the message is one line that says why and the way out."""


class ConnectionAbortedByFaultError(Exception):
    """A scripted fault: the transport is to be cut without an answer."""


class LateExecutionFaultError(ConnectionAbortedByFaultError):
    """A scripted fault: the transport is cut, and the request executed so much later."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"executed after {seconds} s")
        self.seconds = seconds


class HttpStatusFaultError(Exception):
    """A scripted fault: answer with this HTTP status and no API envelope."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
