"""Netlink's grammar, without a kernel."""

import errno
import ipaddress
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.model.addresses import Address
from bridgehead.host.netlink import codec, inet
from bridgehead.host.netlink.marks import PROTOCOL

KINDS = st.integers(0, 0x3FFF)
VALUES = st.binary(max_size=64)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def datagram(kind: int, flags: int, body: bytes, sequence: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def as_answer(request: codec.Request) -> codec.Message:
    (message,) = codec.messages(request.pack(1))
    return message


@given(st.dictionaries(KINDS, VALUES))
def test_attributes_survive_packing(expected: dict[int, bytes]) -> None:
    packed = b"".join(codec.attribute(kind, value) for kind, value in expected.items())

    actual = codec.attributes(packed)

    assert expected == actual
    assert len(packed) % 4 == 0


def test_the_bits_that_mark_a_nested_attribute_are_no_part_of_its_kind() -> None:
    nested = codec.attribute(18 | 0x8000, codec.text(1, "veth"))

    assert {18: codec.text(1, "veth")} == codec.attributes(nested)


@given(st.lists(st.tuples(st.integers(16, 40), st.binary(max_size=16).map(lambda b: b * 4)), max_size=4))
def test_messages_of_one_datagram_are_told_apart(contents: list[tuple[int, bytes]]) -> None:
    packed = b"".join(codec.Request(kind, 0, body).pack(7) for kind, body in contents)

    actual = [(message.kind, message.sequence, message.body) for message in codec.messages(packed)]

    assert [(kind, 7, body) for kind, body in contents] == actual


@given(st.binary(max_size=200))
def test_nonsense_is_refused_or_read_but_never_read_past_its_end(nonsense: bytes) -> None:
    with suppress(ValueError):
        assert sum(16 + len(message.body) for message in codec.messages(nonsense)) <= len(nonsense)
    with suppress(ValueError):
        assert sum(4 + len(value) for value in codec.attributes(nonsense).values()) <= len(nonsense)


@pytest.mark.parametrize("size", [0, 15, 100])
def test_a_message_with_a_wrong_length_is_refused(size: int) -> None:
    broken = struct.pack("=IHHII", size, 16, 0, 1, 0) + bytes(20)

    with pytest.raises(ValueError, match="does not fit"):
        list(codec.messages(broken))


def test_an_acknowledgement_without_error_is_no_refusal() -> None:
    (message,) = codec.messages(datagram(codec.NLMSG_ERROR, 0, struct.pack("=i", 0) + bytes(16)))

    assert codec.refusal(message) is None


@pytest.mark.parametrize("capped", [True, False], ids=["request left out", "request echoed"])
def test_a_refusal_carries_the_kernels_own_words(capped: bool) -> None:
    request = codec.Request(24, 0, bytes(12)).pack(1)
    echoed = request[:16] if capped else request
    flags = codec.NLM_F_ACK_TLVS | (codec.NLM_F_CAPPED if capped else 0)
    body = struct.pack("=i", -errno.EINVAL) + echoed + codec.text(1, "Nexthop has invalid gateway")
    (message,) = codec.messages(datagram(codec.NLMSG_ERROR, flags, body))

    refusal = codec.refusal(message)

    assert refusal is not None
    assert (refusal.errno, refusal.strerror) == (errno.EINVAL, "Nexthop has invalid gateway")


def test_a_refusal_without_words_gets_those_of_its_number() -> None:
    (message,) = codec.messages(datagram(codec.NLMSG_ERROR, 0, struct.pack("=i", -errno.EPERM) + bytes(16)))

    refusal = codec.refusal(message)

    assert isinstance(refusal, PermissionError)
    assert refusal.strerror == "Operation not permitted"


@given(ADDRESSES, st.data())
def test_an_address_reads_back_as_it_was_sent(host: Address, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, host.max_prefixlen))
    address = ipaddress.ip_interface(f"{host}/{length}")

    found = inet.read_address(as_answer(inet.create_address(5, address)))

    assert inet.FoundAddress(5, address, PROTOCOL) == found


@given(ADDRESSES, st.booleans(), st.data())
def test_a_route_reads_back_as_it_was_sent(gateway: Address, direct: bool, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, gateway.max_prefixlen))
    destination = ipaddress.ip_network(f"{gateway}/{length}", strict=False)
    via = None if direct else gateway

    found = inet.read_route(as_answer(inet.create_route(5, destination, via)))

    assert inet.FoundRoute(5, destination, via, PROTOCOL) == found
