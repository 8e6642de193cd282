"""What a person at the terminal can be told in one line; the command line exits with code 2.

PlatformError
├── ConfigurationError   a setting is wrong (MARKET, SPEED, AETHER_…)
├── ProvisioningError    something needed cannot be had (the Temporal server, PostgreSQL)
├── StateError           the state directory cannot be used as it is
├── PortInUseError       another program listens where one of ours should
├── NotRunningError      the stack is not up
└── StartError           a process did not become ready
"""


class PlatformError(Exception):
    """Base of the errors whose message is complete without a traceback."""


class ConfigurationError(PlatformError):
    """A setting is wrong."""


class ProvisioningError(PlatformError):
    """Something that the stack needs cannot be had on this machine."""


class StateError(PlatformError):
    """The state directory cannot be used as it is; the message says the way out."""


class PortInUseError(PlatformError):
    """Another program listens on a port of this stack."""


class NotRunningError(PlatformError):
    """The stack of this state directory is not running."""


class StartError(PlatformError):
    """A process of the stack did not become ready."""
