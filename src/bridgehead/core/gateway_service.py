"""The way out that the daemon itself gives a sandbox whose networks lead nowhere: docker_gwbridge.

Plugins that connect containers with each other often leave the world to it. Source: behaviour.md 2.8.
"""

from collections.abc import Iterable

from bridgehead.core.gateway import Attached, ways_out
from bridgehead.core.model.network import Endpoint, Network
from bridgehead.core.model.plugged import Told
from bridgehead.core.model.requests import NetworkRequest

NETWORK = "docker_gwbridge"
REQUEST = NetworkRequest(
    NETWORK,
    options={
        "com.docker.network.bridge.name": NETWORK,
        "com.docker.network.bridge.enable_icc": "false",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
    },
)


def is_needed(attached: Iterable[Attached]) -> bool:
    """Whether something in the sandbox wants out and nothing of its own leads there."""
    own = [pair for pair in attached if not pair[0].service]
    return not ways_out(own) and any(_wants_out(endpoint, network) for endpoint, network in own)


def _wants_out(endpoint: Endpoint, network: Network) -> bool:
    plugged = endpoint.plugged
    if network.internal or not network.driven_by_plugin or plugged is None:
        return False
    leads = any(route.destination.prefixlen == 0 for route in plugged.routes)
    return plugged.joined is Told.DONE and not plugged.own_way_out and not leads


def shown_name(endpoint: Endpoint) -> str:
    """What such an endpoint is called where its network is shown."""
    return f"gateway_{endpoint.sandbox[:12]}"
