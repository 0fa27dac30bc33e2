"""Objects in words: what people read in the log, in events and in plans."""

import pytest

from bridgehead.core.plan.explain import describe
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import KernelObject, Veth


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            Veth("veth1", "docker0", "/ns/1", "eth0", "02:00:00:00:00:01", 1500),
            "veth veth1 on docker0, eth0 in /ns/1",
        ),
        (
            Veth("veth1", "", "/ns/1", "eth0", "02:00:00:00:00:01", 1500),
            "veth veth1 on no bridge, eth0 in /ns/1",
        ),
        (
            Veth("veth1", "", "", "veth1", "02:00:00:00:00:01", 0),
            "veth veth1, whose inner end is gone",
        ),
        (
            Veth("", "", "/ns/1", "eth0", "02:00:00:00:00:01", 0),
            "veth eth0 in /ns/1, whose outer end is gone",
        ),
        (
            FirewallRule(4, "filter", "FORWARD", "-j DOCKER-USER"),
            "rule iptables -t filter -A FORWARD -j DOCKER-USER",
        ),
        (
            FirewallRule(6, "nat", "POSTROUTING", "-j BRIDGEHEAD-LEAVING"),
            "rule ip6tables -t nat -A POSTROUTING -j BRIDGEHEAD-LEAVING",
        ),
    ],
)
def test_objects_are_told_as_one_would_type_or_say_them(item: KernelObject, words: str) -> None:
    assert describe(item) == words
