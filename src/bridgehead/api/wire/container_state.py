"""A container's state in Docker's fields, and in the words of `docker ps`."""

from bridgehead.api.wire.moment import since_epoch, spoken
from bridgehead.core.model.container import ContainerState, Status
from bridgehead.core.model.health import Health, HealthStatus

_ALIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.RESTARTING})


def show(state: ContainerState) -> dict[str, object]:
    return {
        "Status": state.status.value,
        "Running": state.status in _ALIVE,
        "Paused": state.status is Status.PAUSED,
        "Restarting": state.status is Status.RESTARTING,
        "OOMKilled": state.out_of_memory,
        "Dead": False,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started,
        "FinishedAt": state.finished,
        **({"Health": _health(state.health)} if state.health else {}),
    }


def _health(health: Health) -> dict[str, object]:
    return {
        "Status": health.status.value,
        "FailingStreak": health.failing_streak,
        "Log": [
            {"Start": probe.start, "End": probe.end, "ExitCode": probe.exit_code, "Output": probe.output}
            for probe in health.log
        ],
    }


def _well(health: Health | None) -> str:
    if health is None:
        return ""
    return " (health: starting)" if health.status is HealthStatus.STARTING else f" ({health.status})"


def alive(state: ContainerState) -> bool:
    return state.status in _ALIVE


def sentence(state: ContainerState, now: int) -> str:
    """ "Up 5 minutes", "Exited (0) 3 seconds ago"; `now` in nanoseconds."""
    match state.status:
        case Status.CREATED:
            return "Created"
        case Status.RUNNING:
            return f"Up {spoken(now - since_epoch(state.started))}{_well(state.health)}"
        case Status.PAUSED:
            return f"Up {spoken(now - since_epoch(state.started))} (Paused)"
        case Status.RESTARTING:
            return f"Restarting ({state.exit_code}) {spoken(now - since_epoch(state.finished))} ago"
        case Status.EXITED:
            return f"Exited ({state.exit_code}) {spoken(now - since_epoch(state.finished))} ago"
