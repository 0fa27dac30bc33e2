"""Ports as clients spell them."""

from ipaddress import ip_address

import pytest

from bridgehead.api.wire import ports
from bridgehead.api.wire.container_body import PortBinding
from bridgehead.core.model.container import PortRequest
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", None),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("169.254.0.1", "169.254.0.1"),
    ],
)
def test_a_host_address_is_read_as_what_it_stands_for(text: str, address: str | None) -> None:
    wanted = {"80/tcp": [PortBinding(host_ip=text, host_port="8080")]}

    found = ports.published(wanted)

    assert found == (PortRequest("tcp", 80, address and ip_address(address), 8080, 8080),)


@pytest.mark.parametrize(
    ("key", "address", "port"),
    [
        ("0/tcp", "", "8080"),
        ("80/tcp", "zz", "8080"),
        ("80/tcp", "fe80::1", "8080"),
        ("80/tcp", "fe80::1%eth0", "8080"),
        ("80/tcp", "", "-1"),
        ("80/tcp", "", "65536"),
        ("80/tcp", "", "8082-8080"),
    ],
)
def test_what_cannot_be_published_is_refused_when_it_is_asked_for(key: str, address: str, port: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^invalid "):
        ports.published({key: [PortBinding(host_ip=address, host_port=port)]})
