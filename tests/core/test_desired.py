"""What the host itself is to be like, from what its networks need."""

from ipaddress import ip_network

import pytest

from bridgehead.core.desired import BRIDGE_FILTERING, HOST, fragment
from bridgehead.core.facts import HostFacts
from bridgehead.core.layout import Layout
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import BridgeOptions, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.objects import Sysctl

FACTS = HostFacts(Layout("/data", "/run"), drivers={})
BOTH = set(BRIDGE_FILTERING.values())
BLOCKS = (Subnet(ip_network("10.1.0.0/24"), None), Subnet(ip_network("fd00::/64"), None))


@pytest.mark.parametrize(
    ("icc", "ipv6", "needed"),
    [(True, True, set()), (False, False, {BRIDGE_FILTERING[4]}), (False, True, BOTH)],
)
def test_bridged_frames_meet_rules_where_a_network_forbids_talking(
    *, icc: bool, ipv6: bool, needed: set[str]
) -> None:
    subnets = BLOCKS if ipv6 else BLOCKS[:1]
    network = Network(
        NetworkID("n" * 64), "quiet", "bridge", "", subnets, BridgeOptions("br-quiet", icc=icc), ipv6=ipv6
    )

    found = fragment(Snapshot().put(network), HOST, FACTS).values()

    assert needed == BOTH & {item.name for item in found if isinstance(item, Sysctl)}
