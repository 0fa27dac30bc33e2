"""The codec, with dnspython as the judge."""

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.dns.message import (
    Code,
    Query,
    Question,
    Record,
    Rejection,
    Type,
    answers,
    code_of,
    parse,
    reply,
    with_id,
)

LABELS = st.binary(min_size=1, max_size=20)
NAMES = st.lists(LABELS, max_size=8).map(lambda labels: dns.name.Name([*labels, b""]))
PACKETS = st.builds(
    lambda name, kind, cls, edns: dns.message.make_query(name, kind, cls, use_edns=edns).to_wire(),
    NAMES,
    st.integers(1, 250),
    st.sampled_from([1, 3, 255]),
    st.sampled_from([False, 0]),
)


def asked(name: str, kind: str = "A", **options: object) -> bytes:
    return dns.message.make_query(name, kind, **options).to_wire()


def query(packet: bytes) -> Query:
    found = parse(packet)
    assert isinstance(found, Query)
    return found


def test_a_query_is_read_without_its_case_and_kept_with_it() -> None:
    packet = asked("WeB.My.Net")

    found = query(packet)

    assert Question("web.my.net", Type.A, 1) == found.question
    assert found.section == b"\x03WeB\x02My\x03Net\0\0\x01\0\x01"


@pytest.mark.parametrize(
    ("options", "udp_size", "edns"),
    [
        ({}, 512, None),
        ({"use_edns": 0, "payload": 1232}, 1232, 0),
        ({"use_edns": 0, "payload": 100}, 512, 0),
        ({"use_edns": 0, "payload": 4096, "want_dnssec": True}, 4096, 0x8000),
    ],
)
def test_the_client_says_how_much_it_takes(
    options: dict[str, object], udp_size: int, edns: int | None
) -> None:
    found = query(asked("web", **options))

    assert (udp_size, edns) == (found.udp_size, found.edns)


def test_an_edns_of_another_version_is_told_ours() -> None:
    found = parse(asked("web", use_edns=1, want_dnssec=True))

    assert isinstance(found, Rejection)
    message = dns.message.from_wire(found.reply)
    assert (message.rcode(), message.edns) == (dns.rcode.BADVERS, 0)


def test_a_dot_inside_a_label_does_not_divide_it() -> None:
    packet = dns.message.make_query(dns.name.Name([b"a.b", b""]), "A").to_wire()

    assert query(packet).question.name == "a\\.b"


def test_a_reply_is_what_dnspython_expects_of_one() -> None:
    packet = asked("Web", use_edns=0)

    message = dns.message.from_wire(reply(query(packet), Code.NOERROR, (Record(Type.A, b"\x0a\0\0\x02"),)))

    assert dns.message.from_wire(packet).is_response(message)
    assert message.answer[0].to_text() == "Web. 600 IN A 10.0.0.2"
    assert message.flags == dns.flags.QR | dns.flags.RD | dns.flags.RA
    assert message.edns == 0


def test_a_pointer_is_answered_by_a_name() -> None:
    packet = asked("2.0.0.10.in-addr.arpa", "PTR")

    message = dns.message.from_wire(reply(query(packet), 0, (Record(Type.PTR, b"\x03web\x03net\0"),)))

    assert message.answer[0][0].to_text() == "web.net."


@pytest.mark.parametrize("edns", [False, 0])
def test_what_does_not_fit_is_left_out_and_said_so(edns: int | bool) -> None:
    records = tuple(Record(Type.A, bytes((10, 0, 0, number))) for number in range(100))
    asking = query(asked("web", use_edns=edns, payload=700))

    packet = reply(asking, Code.NOERROR, records, asking.udp_size)

    message = dns.message.from_wire(packet)
    assert asking.udp_size - 16 < len(packet) <= asking.udp_size
    assert message.flags & dns.flags.TC
    assert len(packet) // 16 - 2 <= len(message.answer[0]) < 100


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (b"\x12\x34\x28\0\0\x01\0\0\0\0\0\0\3web\0\0\1\0\1", Code.NOTIMP),
        (b"\x12\x34\x01\0\0\0\0\0\0\0\0\0", Code.FORMERR),
        (b"\x12\x34\x01\0\0\2\0\0\0\0\0\0\3web\0\0\1\0\1", Code.FORMERR),
        (b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\3web", Code.FORMERR),
        (b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", Code.FORMERR),
        (b"\x12\x34\x01\0\0\1\0\0\0\0\0\1\3web\0\0\1\0\1\0\0\x29\x10", Code.FORMERR),
    ],
    ids=["update", "no question", "two questions", "cut name", "pointer", "cut options"],
)
def test_what_cannot_be_answered_is_rejected(packet: bytes, code: Code) -> None:
    found = parse(packet)

    assert isinstance(found, Rejection)
    message = dns.message.from_wire(found.reply)
    assert (0x1234, code) == (message.id, message.rcode())


@pytest.mark.parametrize(
    "packet",
    [b"", b"\x12\x34\x01\0\0\1\0\0", asked("web")[:2] + b"\x81" + asked("web")[3:]],
    ids=["nothing", "half a header", "a reply"],
)
def test_scraps_and_replies_get_no_answer(packet: bytes) -> None:
    assert parse(packet) is None


@given(PACKETS)
def test_every_question_is_read_as_dnspython_reads_it(packet: bytes) -> None:
    expected = dns.message.from_wire(packet)

    found = query(packet)

    assert (expected.id, expected.question[0].rdtype) == (found.id, found.question.type)
    assert expected.question[0].name.to_wire() == found.section[:-4]
    assert expected.is_response(dns.message.from_wire(reply(found, Code.SERVFAIL)))


@given(
    st.binary(max_size=80)
    | st.builds(lambda p, at, b: p[: at % len(p)] + b, PACKETS, st.integers(0), st.binary())
)
def test_garbage_is_answered_properly_or_not_at_all(packet: bytes) -> None:
    found = parse(packet)

    if isinstance(found, Rejection):
        assert dns.message.from_wire(found.reply).id == int.from_bytes(packet[:2], "big")
    elif isinstance(found, Query):
        assert dns.message.from_wire(reply(found, Code.REFUSED)).rcode() == dns.rcode.REFUSED


def test_a_reply_belongs_to_one_question() -> None:
    packet = asked("web.example")
    asking = query(packet)
    good = with_id(77, reply(asking, Code.NXDOMAIN))
    other = with_id(77, reply(query(asked("xeb.example")), Code.NOERROR))

    assert answers(good, 77, asking)
    assert answers(good.replace(b"web", b"WEB"), 77, asking)
    assert not answers(good, 78, asking)
    assert not answers(other, 77, asking)
    assert not answers(with_id(77, packet), 77, asking)
    assert not answers(good[:11], 77, asking)
    assert code_of(good) == Code.NXDOMAIN


def test_types_that_differ_like_letters_are_not_confused() -> None:
    https, unknown = query(asked("web", "TYPE65")), query(asked("web", "TYPE97"))

    assert not answers(with_id(77, reply(unknown, Code.NOERROR)), 77, https)
