"""What a plugin's endpoint is on the machine."""

import ipaddress

from bridgehead.core.drivers.api import Place
from bridgehead.core.drivers.remote import REMOTE
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network
from bridgehead.core.model.plugged import PluggedEndpoint, PluggedNetwork, PluginRoute, Told
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.objects import LinkAddress, Route

NETWORK = Network(NetworkID("n"), "pn", "plug", "", plugged=PluggedNetwork(driver=True))
FAR = ipaddress.ip_network("10.200.0.0/16")


def endpoint(joined: Told) -> Endpoint:
    return Endpoint(
        EndpointID("e"),
        NETWORK.id,
        SandboxID("s"),
        ContainerID("c"),
        EndpointWish(link_local=(ipaddress.ip_address("fe80::7"),)),
        interface="eth0",
        addresses=(ipaddress.ip_interface("10.0.0.2/24"),),
        plugged=PluggedEndpoint(joined=joined, source="p1", routes=(PluginRoute(FAR),)),
    )


def test_what_the_plugin_lends_is_there_once_it_joined_with_every_address_that_was_wished_for() -> None:
    assert list(REMOTE.endpoint_objects(NETWORK, endpoint(Told.ASKED), Place("/ns"))) == []
    assert list(REMOTE.endpoint_objects(NETWORK, endpoint(Told.DONE), Place("/ns"))) == [
        BorrowedLink("/ns", "eth0", "p1", ipv6=True),
        LinkAddress("/ns", "eth0", ipaddress.ip_interface("10.0.0.2/24")),
        LinkAddress("/ns", "eth0", ipaddress.ip_interface("fe80::7/64")),
        Route("/ns", FAR, "eth0"),
    ]
