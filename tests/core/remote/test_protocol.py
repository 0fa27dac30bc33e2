"""Questions as dockerd 20.10 was observed to write them, field for field and in its order."""

import json
import re
from pathlib import Path

import pytest
from msgspec import Struct

from bridgehead.core.remote import answers, words
from bridgehead.core.remote import protocol as p
from bridgehead.core.remote.calls import CALLS

_LINE = re.compile(r"(?P<method>\S+) REQ (?P<request>.*) RESP (?P<status>\d+) (?P<answer>.*)")
OBSERVED = [
    found
    for line in (Path(__file__).parent / "observed.txt").read_text(encoding="utf-8").splitlines()
    if (found := _LINE.fullmatch(line))
]


def test_the_observed_conversation_is_there() -> None:
    assert len(OBSERVED) == 36
    assert {found["method"] for found in OBSERVED} < CALLS.keys()


def _question(observed: re.Match[str]) -> Struct | None:
    """As the engine would make it: ports in `Options` are values, too."""
    kind = CALLS[observed["method"]].request
    said = json.loads(observed["request"])
    if kind is None:
        return None
    if options := said.get("Options"):
        ports = {words.EXPOSED_PORTS: p.exposed_ports(options), words.PORT_MAP: p.port_map(options)}
        options |= {key: value for key, value in ports.items() if key in options}
    return answers.convert(said, kind)


@pytest.mark.parametrize("observed", OBSERVED, ids=lambda found: found["method"])
def test_a_question_is_written_as_it_was_observed(observed: re.Match[str]) -> None:
    said = json.loads(observed["request"])

    written = answers.encode(_question(observed)).decode()

    assert written == ("" if said is None else json.dumps(said, separators=(",", ":")))


@pytest.mark.parametrize(
    "observed",
    [found for found in OBSERVED if found["status"] == "200" and '"Err"' not in found["answer"]],
    ids=lambda found: found["method"],
)
def test_an_observed_answer_makes_sense_and_is_written_alike(observed: re.Match[str]) -> None:
    call = CALLS[observed["method"]]
    said = observed["answer"].encode()

    found = answers.answer(observed["method"], 200, said, call.answer, request=_question(observed))

    again = json.loads(answers.encode(found))
    assert again == {key: value for key, value in json.loads(observed["answer"]).items() if value != {}} | {
        key: value for key, value in again.items() if value == {}
    }


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (p.FreeNetwork(network_id="n"), '{"NetworkID":"n"}'),
        (p.GwAllocCheck(options={"a": "b"}), '{"Options":{"a":"b"}}'),
        (
            p.CreateEndpoint(network_id="n", endpoint_id="e", interface=p.EndpointInterface()),
            (
                '{"NetworkID":"n","EndpointID":"e","Interface":{"Address":"","AddressIPv6":"","MacAddress":""},'
                '"Options":{}}'
            ),
        ),
        (
            p.DiscoverNew(discovery_data=p.Node(address="10.0.0.1", bind_address="10.0.0.2", is_self=True)),
            '{"DiscoveryType":1,"DiscoveryData":{"Address":"10.0.0.1","BindAddress":"10.0.0.2","Self":true}}',
        ),
        (
            p.AllocateNetwork(network_id="n", ipv4_data=(p.IpamData(address_space="s"),)),
            '{"NetworkID":"n","Options":{},"IPv4Data":[{"AddressSpace":"s"}],"IPv6Data":[]}',
        ),
        (
            p.RequestAddress(pool_id="p", address="10.0.0.9"),
            '{"PoolID":"p","Address":"10.0.0.9","Options":null}',
        ),
        (
            p.RequestAddress.of_gateway("p"),
            '{"PoolID":"p","Address":"","Options":{"RequestAddressType":"com.docker.network.gateway"}}',
        ),
        (
            p.RequestAddress.of_endpoint("p", mac="02:42:ac:11:00:02"),
            (
                '{"PoolID":"p","Address":"","Options":'
                '{"com.docker.network.endpoint.macaddress":"02:42:ac:11:00:02"}}'
            ),
        ),
        (
            p.PortBinding(proto=6, port=80, host_port=8080, host_port_end=8080),
            '{"Proto":6,"IP":"","Port":80,"HostIP":"","HostPort":8080,"HostPortEnd":8080}',
        ),
        (p.TransportPort(proto=17, port=53), '{"Proto":17,"Port":53}'),
        (
            p.CreateNetwork(network_id="n", options={"z": {"b": 1, "a": 2}, "a": True}),
            '{"NetworkID":"n","Options":{"a":true,"z":{"a":2,"b":1}},"IPv4Data":[],"IPv6Data":[]}',
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Struct) else "",
)
def test_a_question_nobody_observed_is_written_in_the_same_manner(request_: Struct, text: str) -> None:
    assert answers.encode(request_).decode() == text


def test_every_method_answers_with_something_that_can_be_empty_or_says_why_not() -> None:
    needed = {"NetworkDriver.GetCapabilities", "IpamDriver.RequestPool", "IpamDriver.RequestAddress"}

    for method, call in CALLS.items():
        if method in needed:
            with pytest.raises(ValueError, match=r"invalid capability|no address"):
                call.answer()
        else:
            assert answers.encode(call.answer()) == b"{}"
