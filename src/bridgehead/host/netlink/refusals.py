"""The kernel's error numbers as the errors of the model, in sentences that name the object."""

import errno
from collections.abc import Callable

from bridgehead.core.model.errors import BridgeheadError, Conflict, HostRefused, Unavailable
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.explain import describe, explain
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import KernelObject

Failures = dict[Key, Exception]

_EXHAUSTED = {
    errno.EXFULL: "the bridge has no free port left",
    errno.ENOBUFS: "the kernel has no buffer space left",
    errno.ENOMEM: "the kernel has no memory left",
    errno.EMFILE: "the daemon has too many open files",
}


def refused(op: Op, error: OSError) -> BridgeheadError:
    number = error.errno or 0
    reason = _EXHAUSTED.get(number)
    if reason is not None:
        return Unavailable(f"cannot {explain(op)}: {reason}")
    kind = Conflict if number == errno.EEXIST else HostRefused
    return kind(f"cannot {explain(op)}: {error.strerror or error}")


def taken(item: KernelObject, what: str) -> Conflict:
    """`what` stands in the way of `item`, and it is somebody else's."""
    return Conflict(f"cannot create {describe(item)}: {what} exists and is not ours")


def attempt(op: Op, failures: Failures, action: Callable[[Op], None]) -> None:
    """Carry out `op`; a refusal is noted and nothing is raised. The first refusal of a key stands."""
    try:
        action(op)
    except BridgeheadError as error:
        failures.setdefault(op.object.key, error)
    except OSError as error:
        failures.setdefault(op.object.key, refused(op, error))
