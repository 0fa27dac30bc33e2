"""Where the API may listen, and what must have been said before it listens on a network."""

import pytest

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.daemon.reading import parse


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("tcp://", ("127.0.0.1", 2376)),
        ("tcp://:1234", ("", 1234)),
        (":1234", ("", 1234)),
        ("tcp://0.0.0.0:2376", ("0.0.0.0", 2376)),
        ("tcp://10.0.0.1", ("10.0.0.1", 2376)),
        ("10.0.0.1:99", ("10.0.0.1", 99)),
        ("tcp://localhost:99", ("127.0.0.1", 99)),
        ("tcp://[::1]:99", ("::1", 99)),
    ],
)
def test_tcp_is_spelled_as_for_dockerd(host: str, address: tuple[str, int]) -> None:
    doors = parse(["-H", host, "-H", "unix:///run/x.sock", "--tlsverify"]).doors

    assert (["/run/x.sock"], [address]) == (doors.paths, doors.tcp)


def test_without_tls_the_port_is_dockers_plain_one() -> None:
    assert parse(["-H", "tcp://127.0.0.1", "--tls=false"]).doors.tcp == [("127.0.0.1", 2375)]


@pytest.mark.parametrize(
    ("flags", "secured", "verified"),
    [
        ("--tlsverify", True, True),
        ("--tls --tlsverify", True, True),
        ("--tls --tlsverify=false", True, False),
        ("--tls=false", False, False),
        ("--tls=false --tlsverify=false", False, False),
    ],
)
def test_what_was_said_decides_who_gets_in(flags: str, secured: bool, verified: bool) -> None:
    doors = parse(["-H", "tcp://127.0.0.1:1", *flags.split()]).doors

    assert (secured, verified) == (doors.secured, doors.verified)


def test_clients_are_trusted_by_an_authority_only_when_they_are_verified() -> None:
    words = "-H tcp://127.0.0.1:1 --tlscacert /a/ca.pem --tlscert /a/cert.pem --tlskey /a/key.pem".split()

    verified, open_to_all = parse([*words, "--tlsverify"]), parse([*words, "--tls", "--tlsverify=false"])

    assert (verified.doors.authority, open_to_all.doors.authority) == ("/a/ca.pem", "")
    assert "/a/key.pem" == verified.doors.key == open_to_all.doors.key


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("-H tcp://127.0.0.1:1", "without TLS anybody who can connect is root"),
        ("-H tcp://127.0.0.1:1 --tlsverify=false", "without TLS anybody who can connect is root"),
        ("-H tcp://127.0.0.1:1 --tls", "with --tls alone anybody who can connect is root"),
        ("-H tcp://127.0.0.1:1 --tls=false --tlsverify", "contradict each other"),
        ("-H npipe:////./pipe/x", "unsupported proto 'npipe'"),
        ("-H tcp://127.0.0.1:99999 --tlsverify", "Port out of range"),
        ("-H tcp://127.0.0.1:x --tlsverify", "Port could not be cast"),
        ("-H tcp://127.0.0.1:1/path --tlsverify", "it must be tcp://ADDRESS:PORT"),
        ("-H tcp://me@127.0.0.1:1 --tlsverify", "it must be tcp://ADDRESS:PORT"),
        ("-H tcp://127.0.0.1: --tlsverify", "it must be tcp://ADDRESS:PORT"),
        ("-H tcp://example.test:1 --tlsverify", "'example.test' is not an IP address"),
        ("-H unix://relative", "absolute path"),
    ],
)
def test_what_makes_no_sense_or_was_not_said_is_refused(words: str, complaint: str) -> None:
    with pytest.raises(InvalidParameter, match=complaint):
        parse(words.split())
