"""What a container runs: the user's words over the image's, by Docker's rules."""

from collections.abc import Iterable, Mapping

from bridgehead.core import exposed
from bridgehead.core.images.config import ImageDefaults
from bridgehead.core.model.container import ProcessSpec
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.requests import ContainerRequest

DEFAULT_STOP_SIGNAL = "SIGTERM"


def command(request: ContainerRequest, defaults: ImageDefaults) -> tuple[str, ...]:
    """The argument vector: entrypoint, then command.

    A user's entrypoint takes the image's command away with the image's entrypoint: that command was meant
    as arguments to something else. `--entrypoint ''` arrives as one empty word and means none at all.

    Raises:
        InvalidParameter: neither the user nor the image says what to run.
    """
    entrypoint, arguments = request.entrypoint, request.command or ()
    if not entrypoint:
        arguments = arguments or defaults.command
        if entrypoint is None:
            entrypoint = defaults.entrypoint
    if not entrypoint or entrypoint == ("",):
        entrypoint = ()
    if not entrypoint + arguments:
        raise InvalidParameter("no command specified")
    return entrypoint + arguments


def environment(request: ContainerRequest, defaults: ImageDefaults) -> tuple[str, ...]:
    """The user's variables, then those of the image that the user did not set.

    A word without `=` takes the variable away; it stays here, so that the image's is not put back.
    """
    chosen = {_key(variable) for variable in request.environment}
    return request.environment + tuple(
        variable for variable in defaults.environment if _key(variable) not in chosen
    )


def exposed_ports(request: ContainerRequest, defaults: ImageDefaults) -> tuple[str, ...]:
    """
    Raises:
        InvalidParameter: the image, which may be anybody's, exposes what is no port.
    """
    return _united(request.exposed_ports, exposed.spelled(defaults.exposed_ports))


def labels(request: ContainerRequest, defaults: ImageDefaults) -> Mapping[str, str]:
    return {**defaults.labels, **request.labels}


def stop_signal(request: ContainerRequest, defaults: ImageDefaults) -> str:
    return request.stop_signal or defaults.stop_signal or DEFAULT_STOP_SIGNAL


def process(request: ContainerRequest, defaults: ImageDefaults) -> ProcessSpec:
    """The process of a new container.

    Raises:
        InvalidParameter: neither the user nor the image says what to run.
    """
    return ProcessSpec(
        argv=command(request, defaults),
        environment=environment(request, defaults),
        working_directory=request.working_directory or defaults.working_directory or "/",
        user=request.user or defaults.user,
        tty=request.tty,
        open_stdin=request.open_stdin,
        stdin_once=request.stdin_once,
        privileged=request.privileged,
    )


def _key(variable: str) -> str:
    return variable.partition("=")[0]


def _united(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
