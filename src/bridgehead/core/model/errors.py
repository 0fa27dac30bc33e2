"""What can go wrong, classed by what the caller may do next; `api.errors` maps each class to a status.

    BridgeheadError
        InvalidParameter      400  ask differently
        Unauthorized          401  a registry does not accept who you say you are
        Forbidden             403  never allowed on this object, or in use
        NotFound              404
            PluginMissing: no plugin of that name in any of the folders
        Conflict              409  the name or the state is taken
        NotModified           304  already so
        NotImplementedByDriver 501
        Unavailable           503  nothing left to hand out, or a peer is down
            PluginUnreachable: a plugin does not answer; the same may succeed later
        HostRefused           500  the kernel, the runtime or the store said no
            CommandNotFound, CommandNotExecutable: the container's own command; exit codes 127 and 126
            FamilyMissing: the host has no IPv6; do without what needs it
            PluginRefused: a plugin said no, in its own words
            PluginAnswer: what a plugin answered makes no sense

The message is the sentence the user reads.
"""


class BridgeheadError(Exception):
    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__


class InvalidParameter(BridgeheadError): ...


class Unauthorized(BridgeheadError): ...


class Forbidden(BridgeheadError): ...


class NotFound(BridgeheadError): ...


class Conflict(BridgeheadError): ...


class NotModified(BridgeheadError): ...


class NotImplementedByDriver(BridgeheadError): ...


class Unavailable(BridgeheadError): ...


class HostRefused(BridgeheadError): ...


class FamilyMissing(HostRefused): ...


class CommandNotFound(HostRefused):
    """The container's command does not exist in its image: Docker answers 400 and exit code 127."""


class CommandNotExecutable(HostRefused):
    """The container's command exists but cannot be run: Docker answers 400 and exit code 126."""


class PluginMissing(NotFound):
    """`reason` tells where it was looked for; `before` is the sentence that may stand ahead of that."""

    def __init__(self, name: str, reason: str, before: str = "") -> None:
        super().__init__(f'plugin "{name}" not found: ' + "; ".join(filter(None, (before, reason))))
        self.name = name
        self.reason = reason

    def after(self, before: str) -> "PluginMissing":
        """The same, told after what the caller knows: which drivers are built in."""
        return PluginMissing(self.name, self.reason, before)


class PluginUnreachable(Unavailable): ...


class PluginRefused(HostRefused): ...


class PluginAnswer(HostRefused): ...


def refusal(error: Exception) -> BridgeheadError:
    """An error as those can hear it who did not make it: a bug is said to be one."""
    return error if isinstance(error, BridgeheadError) else HostRefused(f"internal error: {error}")


def failed_start_code(error: BridgeheadError) -> int:
    """The exit code Docker gives a command that could not be run."""
    match error:
        case CommandNotFound():
            return 127
        case CommandNotExecutable():
            return 126
        case _:
            return 128
