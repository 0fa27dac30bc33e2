import pytest

from bridgehead.core import configurations
from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import Forbidden, NotFound
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network
from bridgehead.core.model.requests import NetworkRequest, SubnetRequest
from bridgehead.core.model.snapshot import Snapshot

ASKED = SubnetRequest("10.5.0.0/24", "10.5.0.128/25", "10.5.0.254", {"router": "10.5.0.9"})
SOURCE = Network(
    NetworkID("a" * 64),
    "settings",
    configurations.DRIVER,
    "",
    options={"com.docker.network.driver.mtu": "1400"},
    labels={"tier": "back", "of": "settings"},
    config_only=True,
    template=subnets.parsed([ASKED], (4,)),
)


def test_a_network_is_made_with_the_settings_it_names() -> None:
    request = NetworkRequest("made", config_from="settings", internal=True, labels={"tier": "front"})

    applied = configurations.applied(request, Snapshot().put(SOURCE))

    assert applied.subnets == (ASKED,)
    assert applied.options == SOURCE.options
    assert applied.labels == {"tier": "front", "of": "settings"}
    assert applied.internal


def test_an_ordinary_network_is_no_configuration() -> None:
    ordinary = Network(NetworkID("b" * 64), "lan", "bridge", "")

    with pytest.raises(NotFound, match='configuration network "lan" does not exist'):
        configurations.applied(NetworkRequest("made", config_from="lan"), Snapshot().put(ordinary))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (NetworkRequest("x", config_only=True, internal=True), "network specific fields"),
        (NetworkRequest("x", config_only=True, attachable=True), "network specific fields"),
        (NetworkRequest("x", config_only=True, scope="local"), "network specific fields"),
        (NetworkRequest("x", config_only=True, config_from="y"), "cannot depend on another configuration"),
        (NetworkRequest("x", config_from="y", subnets=(ASKED,)), "user-specified configurations are not"),
        (NetworkRequest("x", config_from="y", ipv6=True), "user-specified configurations are not"),
        (NetworkRequest("x", config_from="y", options={"a": "b"}), "network driver options are not"),
    ],
)
def test_what_does_not_go_together_is_refused(request_: NetworkRequest, words: str) -> None:
    with pytest.raises(Forbidden, match=words):
        configurations.check(request_)
