"""Which method answers which call, and what comes of what it returns or raises."""

import json
import threading
from typing import Any

import pytest

from bridgehead.core.remote.calls import CALLS
from bridgehead.plugin import CreateEndpoint, CreateNetwork, EndpointInterface, Exchange, Join, NetworkDriver
from bridgehead.plugin.dispatch import Dispatch
from tests.plugin.drivers import Addresses, Network

_ENDPOINT = {"NetworkID": "n", "EndpointID": "e"}


def _answer(method: str, request: Any = None) -> tuple[int, Any]:
    status, body = Dispatch([Network(), Addresses()])(
        method, b"" if request is None else json.dumps(request).encode()
    )
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("method", "request_", "status", "answer"),
    [
        ("Plugin.Activate", None, 200, {"Implements": ["NetworkDriver", "IpamDriver"]}),
        ("NetworkDriver.GetCapabilities", None, 200, {"Scope": "local"}),
        ("IpamDriver.GetCapabilities", None, 200, {}),
        (
            "IpamDriver.GetDefaultAddressSpaces",
            None,
            200,
            {"LocalDefaultAddressSpace": "LocalDefault", "GlobalDefaultAddressSpace": "GlobalDefault"},
        ),
        ("NetworkDriver.CreateNetwork", {"NetworkID": "n", "Options": None}, 200, {}),
        (
            "NetworkDriver.CreateNetwork",
            {"NetworkID": "n", "Options": {"com.docker.network.generic": {"refuse": ""}}},
            200,
            {"Err": "not today"},
        ),
        (
            "NetworkDriver.CreateNetwork",
            {"NetworkID": "n", "Options": {"com.docker.network.generic": {"refuse500": ""}}},
            500,
            {"Err": "not today"},
        ),
        (
            "NetworkDriver.CreateNetwork",
            {"NetworkID": "n", "Options": {"com.docker.network.generic": {"fail": ""}}},
            500,
            {"Err": "KeyError: 'oops'"},
        ),
        ("NetworkDriver.CreateEndpoint", _ENDPOINT, 200, {"Interface": {"MacAddress": "02:00:00:00:00:01"}}),
        (
            "NetworkDriver.CreateEndpoint",
            {**_ENDPOINT, "Interface": {"MacAddress": "02:00:00:00:00:02"}},
            500,
            {
                "Err": "ValueError: driver modified interface MAC address: "
                "it was given 02:00:00:00:00:02 and answered 02:00:00:00:00:01"
            },
        ),
        ("NetworkDriver.Join", {**_ENDPOINT, "SandboxKey": "/x"}, 200, {}),
        ("NetworkDriver.EndpointOperInfo", _ENDPOINT, 200, {}),
        ("NetworkDriver.ProgramExternalConnectivity", _ENDPOINT, 200, {}),
        ("NetworkDriver.DiscoverNew", {"DiscoveryType": 1, "DiscoveryData": {"Self": True}}, 200, {}),
        ("IpamDriver.RequestPool", {"AddressSpace": "a"}, 200, {"PoolID": "p", "Pool": "10.0.0.0/8"}),
        ("IpamDriver.ReleasePool", {"PoolID": "p"}, 200, {"Error": "never"}),
        (
            "IpamDriver.RequestAddress",
            {"PoolID": "p"},
            500,
            {"Error": "ValueError: 'nonsense' is no address with a prefix length"},
        ),
        (
            "NetworkDriver.DeleteNetwork",
            {"NetworkID": 5},
            400,
            {"Err": "the request makes no sense: Expected str, got int - at $.NetworkID"},
        ),
        (
            "NetworkDriver.DeleteNetwork",
            [],
            400,
            {"Err": "the request makes no sense: the answer is no JSON object: []"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_is_answered(method: str, request_: Any, status: int, answer: Any) -> None:
    assert _answer(method, request_) == (status, answer)


def test_an_unknown_call_is_not_found() -> None:
    dispatch = Dispatch([Addresses()])

    for method in ("", "NetworkDriver.Join", "IpamDriver.Nothing", "../IpamDriver.RequestPool"):
        assert dispatch(method, b"{}")[0] == 404


def test_every_call_of_the_protocol_has_a_method() -> None:
    dispatch = Dispatch([Network(), Addresses()])

    assert {method: dispatch(method, b"{")[0] for method, call in CALLS.items() if call.request} == {
        method: 400 for method, call in CALLS.items() if call.request
    }


def test_requests_arrive_as_values() -> None:
    network = Network()
    dispatch = Dispatch([network])

    dispatch(
        "NetworkDriver.CreateNetwork",
        b'{"NetworkID": "n", "Options": {"com.docker.network.internal": true}}\n',
    )
    dispatch(
        "NetworkDriver.CreateEndpoint",
        b'{"NetworkID": "n", "EndpointID": "e", "Interface": {"Address": "10.0.0.2/8"}}',
    )
    dispatch("NetworkDriver.Join", b'{"NetworkID": "n", "EndpointID": "e", "SandboxKey": "/x", "New": 1}')

    created, endpoint, joined = network.asked
    assert isinstance(created, CreateNetwork)
    assert (created.internal, dict(created.driver_options)) == (True, {})
    assert isinstance(endpoint, CreateEndpoint)
    assert endpoint.interface == EndpointInterface(address="10.0.0.2/8")
    assert joined == Join(network_id="n", endpoint_id="e", sandbox_key="/x")


def test_a_driver_that_returns_something_else_is_told() -> None:
    class Wrong(Network):
        def endpoint_oper_info(self, request: Any) -> Any:
            return 5

    status, body = Dispatch([Wrong()])("NetworkDriver.EndpointOperInfo", json.dumps(_ENDPOINT).encode())

    assert (status, json.loads(body)) == (
        500,
        {"Err": "TypeError: endpoint_oper_info returned int, not OperInfo"},
    )


def test_a_class_is_one_driver() -> None:
    class Both(Network, Addresses):
        pass

    with pytest.raises(TypeError, match="Both is two drivers in one"):
        Dispatch([Both()])


def test_a_driver_that_leaves_out_what_it_must_do_cannot_be_made() -> None:
    class Half(NetworkDriver):
        def leave(self, request: Any) -> None: ...

    with pytest.raises(TypeError, match="create_network"):
        Half()  # type: ignore[abstract]


@pytest.mark.parametrize(("serialised", "together"), [(True, 1), (False, 2)])
def test_calls_come_one_at_a_time_unless_it_is_wished_otherwise(serialised: bool, together: int) -> None:
    inside, most = 0, 0
    both = threading.Barrier(2)

    class Counting(Network):
        def leave(self, request: Any) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            if not serialised:
                both.wait(5)  # neither leaves before the other has come
            inside -= 1

    dispatch = Dispatch([Counting()], serialised=serialised)
    body = json.dumps(_ENDPOINT).encode()
    threads = [threading.Thread(target=dispatch, args=("NetworkDriver.Leave", body)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert most == together


def test_each_exchange_is_told() -> None:
    told: list[Exchange] = []

    Dispatch([Network()], on_exchange=told.append)("NetworkDriver.DeleteNetwork", b'{"NetworkID": "n"}')

    (exchange,) = told
    assert (exchange.method, exchange.request) == ("NetworkDriver.DeleteNetwork", b'{"NetworkID": "n"}')
    assert (exchange.status, exchange.answer) == (200, b"{}")
