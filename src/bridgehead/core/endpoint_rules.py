"""What may be attached to what, with which wishes; refused in Docker's words."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bridgehead.core import endpoint_options, lan
from bridgehead.core.gateway import rank
from bridgehead.core.interfaces import families
from bridgehead.core.ipam import addresses
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.network import EndpointWish, Network, Phase
from bridgehead.core.model.snapshot import Snapshot

SHARED = (
    "container sharing network namespace with another container or host cannot be connected to any other "
    "network"
)
_PRIVATE = (
    "container cannot be connected to multiple networks with one of the networks in private (none) mode"
)


def check_addresses(snapshot: Snapshot, network: Network, container: Container, wish: EndpointWish) -> None:
    """Whether the endpoint that is wished for could have its addresses now.

    Raises:
        InvalidParameter, Forbidden, Unavailable: see `ipam.addresses.request`.
    """
    if network.addressed_by_plugin:
        addresses.check_located(network, wish)
    else:
        held = addresses.holdings(snapshot, network, container.id)
        addresses.request(network, held, wish, families(container))


def check_real(network: Network) -> None:
    """
    Raises:
        Forbidden: it exists nowhere, or is about to go.
    """
    if network.config_only:
        raise Forbidden(f"cannot create endpoint on configuration-only network {network.name}")
    if network.phase is Phase.LEAVING:
        raise Forbidden(f"network {network.name} is being removed")


def mac_is_ours(network: Network) -> bool:
    """Whether an endpoint gets a MAC address of our choice, unless its user has one."""
    if network.plugged is not None and network.plugged.driver:
        return network.plugged.mac_first
    return lan.has_own_mac(network)


def in_attach_order(snapshot: Snapshot, networks: Mapping[str, EndpointWish]) -> list[Network]:
    """The networks a container is to join at start, best gateway first, so that eth0 is the way out.

    Raises:
        NotFound: one of them is gone.
    """
    pairs = [(snapshot.find_network(reference), wish) for reference, wish in networks.items()]
    pairs.sort(key=lambda pair: rank(pair[0], pair[1].gateway_priority))
    return [network for network, _ in pairs]


def wish_for(container: Container, network: Network) -> EndpointWish | None:
    """The container's wish for this network, which it may have named either way."""
    wish = container.networks.get(network.name)
    return wish if wish is not None else container.networks.get(network.id)


def check_wish(network: Network | None, wish: EndpointWish) -> None:
    """`network` None: it is not made yet.

    Raises:
        InvalidParameter: all that no network offers, or this one does not.
    """
    faults = []
    if network and network.predefined and wish.addresses:
        faults.append("user specified IP address is supported on user defined networks only")
    if network and network.predefined and wish.aliases:
        faults.append("network-scoped aliases are only supported for user-defined networks")
    if network and (fault := lan.fault(network, wish)):
        faults.append(fault)
    faults += [
        f"invalid link-local IP address: {address}"
        for address in wish.link_local
        if not address.is_link_local
    ]
    for parse in (endpoint_options.interface_name, endpoint_options.sysctls):
        try:
            parse(wish.driver_options)
        except InvalidParameter as error:
            faults.append(error.message)
    if faults:
        raise InvalidParameter("\n".join(["invalid endpoint settings:", *faults]))


def check_together(networks: Iterable[Network]) -> None:
    """
    Raises:
        InvalidParameter: host and none exclude every other network.
    """
    drivers = [network.driver for network in networks]
    if len(drivers) > 1 and "null" in drivers:
        raise InvalidParameter(_PRIVATE)
    if len(drivers) > 1 and "host" in drivers:
        raise InvalidParameter(SHARED)


def check_connect(snapshot: Snapshot, container: Container, network: Network, wish: EndpointWish) -> None:
    """
    Raises:
        InvalidParameter, Forbidden: see the message.
    """
    if container.spec.network_mode == "host" or container.spec.joins:
        raise InvalidParameter(SHARED)
    if network.driver == "host":
        raise InvalidParameter(
            "cannot connect container to host network - container must be created in host network mode"
        )
    check_real(network)
    if network.driver == "null" or "none" in container.networks:
        raise InvalidParameter(_PRIVATE)
    check_wish(network, wish)
    lan.check_free(snapshot, network, container, wish)
    if any(endpoint.container == container.id for endpoint in snapshot.network_endpoints(network.id)):
        raise Forbidden(f"endpoint with name {container.name} already exists in network {network.name}")


def without(container: Container, network: Network) -> Container:
    """The container once it has left this network."""
    kept = {key: wish for key, wish in container.networks.items() if key not in {network.name, network.id}}
    return replace(container, networks=kept)
