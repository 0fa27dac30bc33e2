import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.dns.zone import Zone, fold, reverse_address, wire_name
from bridgehead.core.plan.names import NameRecord

RECORDS = st.builds(
    NameRecord,
    endpoint=st.sampled_from("abcd"),
    network=st.sampled_from("NM"),
    network_name=st.sampled_from(["net", "My.Net"]),
    names=st.lists(st.sampled_from(["web", "Web", "db", "x.y", ""]), max_size=3).map(tuple),
    addresses=st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1"]), max_size=2, unique=True).map(
        tuple
    ),
)


def seen(zone: Zone) -> list[object]:
    names = ["web", "db", "x.y", "web.net", "web.my.net", "db.net"]
    addresses = [ipaddress.ip_address(text).packed for text in ("10.0.0.1", "10.0.0.2", "fd00::1")]
    found = [zone.addresses(network, name) for network in "NM" for name in names]
    found_sets = [None if addresses is None else sorted(addresses) for addresses in found]
    pointers = [zone.pointer(network, address) is None for network in "NM" for address in addresses]
    return [set(zone), found_sets, pointers, [zone.network_name(network) is None for network in "NM"]]


@given(st.lists(RECORDS | st.sampled_from("abcd"), max_size=12))
def test_a_zone_knows_no_history(changes: list[NameRecord | str]) -> None:
    zone = Zone()
    last: dict[str, NameRecord] = {}
    for change in changes:
        if isinstance(change, str):
            zone.drop(change)
            last.pop(change, None)
        else:
            zone.put(change)
            last[change.endpoint] = change

    fresh = Zone()
    for record in last.values():
        fresh.put(record)

    assert seen(fresh) == seen(zone)


def test_a_record_that_is_none_changes_nothing() -> None:
    zone = Zone()
    good = NameRecord("a", "N", "net", ("web",), ("10.0.0.1",))
    zone.put(good)

    with pytest.raises(ValueError):
        zone.put(NameRecord("a", "N", "net", ("other",), ("10.0.0.999",)))

    assert [good] == list(zone)
    assert zone.addresses("N", "web") == (b"\x0a\0\0\1",)


@pytest.mark.parametrize("address", ["10.0.0.2", "192.168.255.1", "fd00::1", "2001:db8::abcd"])
def test_a_reverse_name_stands_for_its_address(address: str) -> None:
    parsed = ipaddress.ip_address(address)

    assert parsed.packed == reverse_address(parsed.reverse_pointer)


@pytest.mark.parametrize(
    "name",
    [
        "in-addr.arpa",
        "1.in-addr.arpa",
        "1.2.3.4.5.in-addr.arpa",
        "1.2.3.999.in-addr.arpa",
        "1.2.3.04.in-addr.arpa",
        "1.2.ip6.arpa",
        ".".join("_" * 32) + ".ip6.arpa",
        ".".join(["1", ""] * 16) + ".ip6.arpa",
        "4.3.2.1.in-addr.arpa.example",
    ],
)
def test_other_names_stand_for_none(name: str) -> None:
    assert reverse_address(name) is None


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64, ".".join(["a" * 60] * 5), "\ud800"])
def test_what_dns_cannot_carry_has_no_wire_form(name: str) -> None:
    assert wire_name(name) is None


def test_only_letters_of_the_ascii_alphabet_lose_their_case() -> None:
    assert fold("WÄB-İ") == "wÄb-İ"
