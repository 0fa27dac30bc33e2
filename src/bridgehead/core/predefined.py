"""The three networks that always exist: bridge (docker0), host and none."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import BridgeOptions, Network, Phase, Subnet
from bridgehead.core.model.snapshot import Snapshot

DRIVERS: Mapping[str, str] = {"bridge": "bridge", "host": "host", "none": "null"}
_BRIDGE = "docker0"
_SUBNET = Subnet(ipaddress.ip_network("172.17.0.0/16"), ipaddress.ip_address("172.17.0.1"))


def missing(snapshot: Snapshot, ids: Sequence[NetworkID], created: str, mtu: int) -> Iterator[Network]:
    """Those of the three that the snapshot lacks, ready to be put into it. `ids`: three unused ones."""
    for (name, driver), identifier in zip(DRIVERS.items(), ids, strict=True):
        if snapshot.network_named(name) is None:
            yield _network(name, driver, identifier, created, mtu)


def _network(name: str, driver: str, identifier: NetworkID, created: str, mtu: int) -> Network:
    bridged = driver == "bridge"
    return Network(
        id=identifier,
        name=name,
        driver=driver,
        created=created,
        subnets=(_SUBNET,) if bridged else (),
        bridge=BridgeOptions(_BRIDGE, mtu=mtu, is_default=True) if bridged else None,
        options=_bridge_options(mtu) if bridged else {},
        phase=Phase.READY,
    )


def _bridge_options(mtu: int) -> Mapping[str, str]:
    return {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        "com.docker.network.bridge.name": _BRIDGE,
        "com.docker.network.driver.mtu": str(mtu),
    }
