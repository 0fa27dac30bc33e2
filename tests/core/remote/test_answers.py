"""What becomes of a plugin's answer: a value, or the sentence the user reads."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.model.addresses import Interface
from bridgehead.core.model.errors import (
    BridgeheadError,
    PluginAnswer,
    PluginMissing,
    PluginRefused,
)
from bridgehead.core.remote import protocol as p
from bridgehead.core.remote import words
from bridgehead.core.remote.answers import OPTIONAL, answer, encode
from bridgehead.core.remote.calls import CALLS


def _said(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("method", "status", "body", "words"),
    [
        ("NetworkDriver.Join", 200, b'{"Err": "boom"}', "remote: boom"),
        ("IpamDriver.RequestPool", 200, b'{"Error": "boom"}', "remote: boom"),
        ("NetworkDriver.Join", 200, b'{"err": "boom"}', "remote: boom"),
        ("NetworkDriver.Join", 500, b'{"Err": "http500 requested"}', "NetworkDriver.Join: http500 requested"),
        ("IpamDriver.RequestPool", 500, b'{"Error": "full"}', "IpamDriver.RequestPool: full"),
        ("NetworkDriver.Join", 500, b"Internal Server Error\n", "NetworkDriver.Join: Internal Server Error"),
        ("NetworkDriver.Join", 500, b'{"Err": ""}', 'NetworkDriver.Join: {"Err": ""}'),
        ("NetworkDriver.Join", 503, b"", "NetworkDriver.Join: status 503"),
        ("NetworkDriver.Join", 404, b"404 page not found\n", "NetworkDriver.Join: 404 page not found"),
        ("NetworkDriver.Join", 204, b"", "NetworkDriver.Join: status 204"),
        ("NetworkDriver.Join", 302, b"", "NetworkDriver.Join: status 302"),
        ("NetworkDriver.Join", 500, b"\xff\xfe", "NetworkDriver.Join: \ufffd\ufffd"),
        ("NetworkDriver.GetCapabilities", 404, b"no", "NetworkDriver.GetCapabilities: no"),
    ],
)
def test_a_refusal_is_told_in_the_plugins_own_words(
    method: str, status: int, body: bytes, words: str
) -> None:
    with pytest.raises(PluginRefused) as caught:
        answer(method, status, body, CALLS[method].answer)

    assert caught.value.message == words


@pytest.mark.parametrize("method", sorted(OPTIONAL))
def test_what_a_plugin_need_not_know_may_be_unknown_to_it(method: str) -> None:
    kind = CALLS[method].answer

    assert answer(method, 404, b"404 page not found\n", kind) == kind()


@pytest.mark.parametrize(
    ("kind", "document", "complaint"),
    [
        (p.Nothing, [], "the answer is no JSON object: []"),
        (p.Nothing, "yes", 'the answer is no JSON object: "yes"'),
        (p.Nothing, {"Err": 5}, "Err is not text"),
        (p.Implements, {"Implements": "NetworkDriver"}, "Expected array, got str - at $.Implements"),
        (p.Implements, {"Implements": [1]}, "Expected str, got int - at $.Implements[0]"),
        (p.NetworkCapabilities, {}, "invalid capability: expecting 'local' or 'global', got "),
        (p.NetworkCapabilities, {"Scope": "x"}, "invalid capability: expecting 'local' or 'global', got x"),
        (
            p.NetworkCapabilities,
            {"Scope": "local", "ConnectivityScope": "Global"},
            "invalid capability: expecting 'local' or 'global', got Global",
        ),
        (p.NetworkCapabilities, {"Scope": 5}, "Expected str, got int - at $.Scope"),
        (
            p.CreatedEndpoint,
            {"Interface": {"Address": "10.0.0.1"}},
            "'10.0.0.1' is no address with a prefix length - at $.Interface",
        ),
        (p.CreatedEndpoint, {"Interface": {"Address": "fd00::1/64"}}, "fd00::1/64 is not IPv4"),
        (p.CreatedEndpoint, {"Interface": {"AddressIPv6": "10.0.0.1/8"}}, "10.0.0.1/8 is not IPv6"),
        (p.CreatedEndpoint, {"Interface": {"MacAddress": "01:00:5e:00:00:01"}}, "no MAC address of one host"),
        (p.Joined, {"InterfaceName": {"SrcName": "a/b"}}, "'a/b' is no name for an interface"),
        (p.Joined, {"InterfaceName": {"SrcName": "a b"}}, "'a b' is no name for an interface"),
        (p.Joined, {"InterfaceName": {"SrcName": ".."}}, "'..' is no name for an interface"),
        (p.Joined, {"InterfaceName": {"SrcName": "eth0\n"}}, "is no name for an interface"),
        (p.Joined, {"InterfaceName": {"SrcName": "é"}}, "'é' is no name for an interface"),
        (p.Joined, {"InterfaceName": {"SrcName": "x" * 16}}, "is longer than 15 characters"),
        (p.Joined, {"InterfaceName": {"DstPrefix": "x" * 14}}, "is longer than 13 characters"),
        (p.Joined, {"Gateway": "10.0.0.1/24"}, "'10.0.0.1/24' is no address"),
        (p.Joined, {"Gateway": "fd00::1"}, "fd00::1 is not IPv4"),
        (p.Joined, {"GatewayIPv6": "10.0.0.1"}, "10.0.0.1 is not IPv6"),
        (p.Joined, {"GatewayIPv6": "fe80::1%eth0"}, "'fe80::1%eth0' is no address"),
        (p.Joined, {"StaticRoutes": [{"Destination": "x"}]}, "'x' is no address with a prefix length"),
        (p.Joined, {"StaticRoutes": [None]}, "missing required field Destination"),
        (
            p.Joined,
            {"StaticRoutes": [{"Destination": "10.0.0.0/8", "RouteType": 2, "NextHop": "10.0.0.1"}]},
            "Invalid enum value 2 - at $.StaticRoutes[0].RouteType",
        ),
        (
            p.Joined,
            {"StaticRoutes": [{"Destination": "10.0.0.0/8", "RouteType": True, "NextHop": "10.0.0.1"}]},
            "Expected int, got bool",
        ),
        (p.Joined, {"StaticRoutes": [{"Destination": "10.0.0.0/8"}]}, "'' is no address"),
        (
            p.Joined,
            {"StaticRoutes": [{"Destination": "10.0.0.0/8", "NextHop": "fd00::1"}]},
            "fd00::1 cannot be the next hop to 10.0.0.0/8",
        ),
        (p.Joined, {"DisableGatewayService": "yes"}, "Expected bool, got str - at $.DisableGatewayService"),
        (p.OperInfo, {"Value": []}, "Expected object, got array - at $.Value"),
        (p.OperInfo, {"Value": {"a": 2**64}}, "a number has more than 64 bits"),
        (p.OperInfo, {"Value": json.loads("[" * 40 + "]" * 40)}, "the answer is nested too deeply"),
        (p.Pool, {"PoolID": "x"}, "'' is no address with a prefix length"),
        (p.Pool, {"Pool": "10.0.0.0/33"}, "'10.0.0.0/33' is no address with a prefix length"),
        (p.Pool, {"Pool": "10.0.0.0/8", "Data": {"com.docker.network.gateway": "x"}}, "'x' is no address"),
        (p.Pool, {"Pool": "10.0.0.0/8", "Data": {"x": 1}}, "Expected str, got int"),
        (p.GivenAddress, {"Address": ""}, "'' is no address with a prefix length"),
        (p.GivenAddress, {"Address": "9" * 999}, "…' is no address with a prefix length"),
        (p.IpamCapabilities, {"RequiresMACAddress": 1}, "Expected bool, got int - at $.RequiresMACAddress"),
    ],
)
def test_an_answer_that_makes_no_sense_is_named(
    kind: type[msgspec.Struct], document: Any, complaint: str
) -> None:
    with pytest.raises(PluginAnswer) as caught:
        answer("NetworkDriver.X", 200, _said(document), kind, plugin="tp")

    assert caught.value.message.startswith('plugin "tp": NetworkDriver.X: ')
    assert complaint in caught.value.message
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "the answer is empty"),
        (b" \n", "the answer is empty"),
        (b"<html>", "the answer is no JSON: "),
        (b'{"Value": {"a": NaN}}', "the answer is no JSON: "),
        (b'{"Value": {"a": 1e999}}', "the answer is no JSON: "),
        (b'{"Value": {"a": "\\ud800"}}', "the answer is no JSON: "),
        (b'{"Value": ', "the answer is no JSON: "),
        (b"{} {}", "the answer is no JSON: "),
        (b"\xff\xfe", "the answer is no JSON: "),
        (b"[" * 100_000, "the answer is nested too deeply"),
        (b'{"a":' * 100_000, "the answer is nested too deeply"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_an_answer_that_is_no_json_is_named(body: bytes, complaint: str) -> None:
    with pytest.raises(PluginAnswer, match=complaint):
        answer("NetworkDriver.X", 200, body, p.OperInfo)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (p.Nothing, b"null", p.Nothing()),
        (p.Nothing, b'{"Err": null, "Error": "", "More": [1.5]}\n', p.Nothing()),
        (p.Implements, b'{"implements": ["NetworkDriver"]}', p.Implements(implements=("NetworkDriver",))),
        (p.CreatedEndpoint, b'{"Interface": null}', p.CreatedEndpoint()),
        (p.CreatedEndpoint, b'{"Interface": {}}', p.CreatedEndpoint(interface=p.AnsweredInterface())),
        (
            p.CreatedEndpoint,
            b'{"Interface": {"Address": null, "MacAddress": ""}}',
            p.CreatedEndpoint(interface=p.AnsweredInterface()),
        ),
        (p.OperInfo, b'{"Value": null}', p.OperInfo()),
        (p.OperInfo, b'{"Value": {"a": [null, 1.5]}}', p.OperInfo(value={"a": [None, 1.5]})),
        (p.Joined, b'{"StaticRoutes": null, "Gateway": null}', p.Joined()),
        (p.NetworkCapabilities, b'{"SCOPE": "global"}', p.NetworkCapabilities(scope="global")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_null_missing_and_further_fields_are_read_as_go_reads_them(
    kind: type[msgspec.Struct], body: bytes, found: msgspec.Struct
) -> None:
    assert answer("NetworkDriver.X", 200, body, kind) == found


def test_texts_become_the_models_types() -> None:
    joined = answer(
        "NetworkDriver.Join",
        200,
        _said(
            {
                "InterfaceName": {"SrcName": "tp1", "DstPrefix": "eth"},
                "Gateway": "10.0.0.1",
                "GatewayIPv6": "fd00::1",
                "StaticRoutes": [
                    {"Destination": "10.1.2.3/16", "RouteType": 0, "NextHop": "10.0.0.9"},
                    {"Destination": "fd01::/64", "RouteType": 1, "NextHop": ""},
                ],
            }
        ),
        p.Joined,
    )
    pool = p.Pool(pool_id="x", pool="10.0.0.0/8", data={"com.docker.network.gateway": "10.0.0.7/8"})
    interface = p.EndpointInterface(address="10.0.0.2/8", mac_address="02-42-AC-11-00-02")

    assert (str(joined.gateway4), str(joined.gateway6)) == ("10.0.0.1", "fd00::1")
    assert [(str(route.prefix), str(route.hop)) for route in joined.static_routes] == [
        ("10.1.0.0/16", "10.0.0.9"),
        ("fd01::/64", "None"),
    ]
    assert (str(pool.prefix), str(pool.gateway)) == ("10.0.0.0/8", "10.0.0.7/8")
    assert (str(interface.ipv4), interface.ipv6, interface.mac) == (
        "10.0.0.2/8",
        None,
        "02:42:ac:11:00:02",
    )


_GIVEN = p.CreateEndpoint(
    network_id="n",
    endpoint_id="e",
    interface=p.EndpointInterface(address="10.0.0.2/8", mac_address="02:42:ac:11:00:02"),
)


@pytest.mark.parametrize(
    ("answered", "complaint"),
    [
        (
            {"MacAddress": "02:42:ac:11:00:03"},
            "interface MAC address: it was given 02:42:ac:11:00:02 and answered 02:42:ac:11:00:03",
        ),
        ({"Address": "10.0.0.3/8"}, "driver modified interface address: it was given 10.0.0.2/8"),
        ({"Address": "10.0.0.2/8", "MacAddress": "02:42:AC:11:00:02", "AddressIPv6": "fd00::2/64"}, ""),
    ],
)
def test_a_plugin_may_add_to_an_interface_but_not_change_it(answered: dict[str, str], complaint: str) -> None:
    body = _said({"Interface": answered})

    if complaint:
        with pytest.raises(PluginAnswer, match=complaint):
            answer("NetworkDriver.CreateEndpoint", 200, body, p.CreatedEndpoint, request=_GIVEN)
    else:
        assert answer("NetworkDriver.CreateEndpoint", 200, body, p.CreatedEndpoint, request=_GIVEN).interface


def test_a_pool_of_the_other_family_is_no_answer() -> None:
    request = p.RequestPool(address_space="s", v6=True)

    with pytest.raises(PluginAnswer, match=r"10.0.0.0/8 is not IPv6, which was asked for"):
        answer("IpamDriver.RequestPool", 200, _said({"Pool": "10.0.0.0/8"}), p.Pool, request=request)


def test_a_missing_plugin_is_told_with_and_without_what_else_there_is() -> None:
    error = PluginMissing("x", "looked for x.sock in /a, x.spec and x.json in /b")

    assert error.message == 'plugin "x" not found: looked for x.sock in /a, x.spec and x.json in /b'
    assert error.after("the built-in network drivers are bridge and host").message == (
        'plugin "x" not found: the built-in network drivers are bridge and host; '
        "looked for x.sock in /a, x.spec and x.json in /b"
    )


_FIELDS = {
    field.encode_name
    for kind in (
        *(call.answer for call in CALLS.values()),
        p.InterfaceName,
        p.StaticRoute,
        p.AnsweredInterface,
    )
    for field in msgspec.structs.fields(kind)
} | {"Err", "Error"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(_FIELDS)), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(
    method=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 200, 200, 404, 500]),
    body=st.binary(max_size=50) | _JSON.map(lambda document: json.dumps(document).encode()),
)
def test_whatever_is_answered_becomes_a_value_that_can_be_used_or_a_sentence(
    method: str, status: int, body: bytes
) -> None:
    kind = CALLS[method].answer

    found = _judged(method, status, body, kind)

    if isinstance(found, BridgeheadError):
        assert found.message.encode(errors="strict")
    else:
        assert encode(found)
        for name, value in vars(kind).items():
            if isinstance(value, property):
                getattr(found, name)


def _judged(
    method: str, status: int, body: bytes, kind: type[msgspec.Struct]
) -> msgspec.Struct | BridgeheadError:
    try:
        return answer(method, status, body, kind, plugin="tp")
    except (PluginRefused, PluginAnswer) as error:
        return error


@given(st.ip_addresses(), st.integers(0, 128))
def test_every_address_with_a_length_is_read_back(address: Any, length: int) -> None:
    interface: Interface = words.cidr(f"{address}/{min(length, address.max_prefixlen)}")

    assert words.cidr(str(interface)) == interface
