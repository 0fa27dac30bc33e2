"""When a container that ended is started again, and after how long."""

from bridgehead.core.model.container import ContainerState, RestartPolicy

_FIRST_S = 0.1
_LONGEST_S = 60.0


def wants_restart(policy: RestartPolicy, state: ContainerState, code: int) -> bool:
    """Nothing that a user stopped comes back by itself."""
    if state.stopped_by_user:
        return False
    if policy.name == "on-failure":
        return code != 0 and (policy.maximum == 0 or state.restarts < policy.maximum)
    return policy.name in {"always", "unless-stopped"}


def delay(restarts: int) -> float:
    """Seconds: doubling from 0.1 to a minute."""
    return float(min(_FIRST_S * 2 ** min(restarts, 16), _LONGEST_S))
