"""Labels that every built-in driver knows."""

import pytest

from bridgehead.core.drivers.labels import PREFIX, families
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("labels", "ipv4", "ipv6", "expected"),
    [
        ({}, True, False, (4,)),
        ({}, False, True, (6,)),
        ({"enable_ipv6": "true"}, True, False, (4, 6)),
        ({"enable_ipv4": "false", "enable_ipv6": "1"}, True, False, (6,)),
        ({"enable_ipv6": "false"}, True, True, (4,)),
    ],
)
def test_labels_outweigh_the_requests_families(
    labels: dict[str, str], *, ipv4: bool, ipv6: bool, expected: tuple[int, ...]
) -> None:
    given = {PREFIX + name: value for name, value in labels.items()}

    assert expected == families(given, ipv4=ipv4, ipv6=ipv6)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"enable_ipv4": "0"}, "IPv4 or IPv6 must be enabled"),
        ({"enable_ipv6": "maybe"}, f'driver-opt "{PREFIX}enable_ipv6" is not a valid bool'),
    ],
)
def test_no_family_at_all_is_refused(labels: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        families({PREFIX + name: value for name, value in labels.items()}, ipv4=True, ipv6=False)

    assert refusal.value.message == sentence
