"""What an endpoint is called on its network."""

from bridgehead.core.model.container import Container
from bridgehead.core.model.ids import short
from bridgehead.core.model.network import Endpoint


def dns_names(container: Container, endpoint: Endpoint) -> tuple[str, ...]:
    """Container name first (it answers reverse queries), then aliases, short id and hostname; no repeats."""
    names = (container.name, *endpoint.wish.aliases, short(container.id), container.spec.hostname)
    return tuple(dict.fromkeys(name for name in names if name))
