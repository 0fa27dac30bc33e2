"""What a sandbox's interfaces are called, and which address families they can have."""

from collections.abc import Collection

from bridgehead.core import endpoint_options
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden
from bridgehead.core.model.network import Sandbox
from bridgehead.core.model.snapshot import Snapshot


def families(container: Container) -> tuple[int, ...]:
    """Those of which the container can carry addresses."""
    return (4,) if container.spec.ipv6_disabled else (4, 6)


def interface_name(
    snapshot: Snapshot, sandbox: Sandbox, container: Container, wanted: str, prefix: str
) -> str:
    """The name its user `wanted`, or the lowest free number; names chosen for other attachments are theirs,
    and so are those that a guest had before it came to us.

    Raises:
        Forbidden: the chosen name is in use; the network that has it is named.
    """
    present = {item.interface: item.network for item in snapshot.sandbox_endpoints(sandbox.id)}
    if wanted and wanted in present:
        holder = snapshot.networks[present[wanted]].name
        raise Forbidden(
            f"interface name {wanted} of container {container.name} is already in use for network {holder}"
        )
    chosen = {endpoint_options.interface_name(other.driver_options) for other in container.networks.values()}
    own = container.guest.interfaces if container.guest else ()
    return wanted or _free_interface(prefix, {*present, *chosen, *own})


def _free_interface(prefix: str, taken: Collection[str]) -> str:
    return next(name for number in range(len(taken) + 1) if (name := f"{prefix}{number}") not in taken)
