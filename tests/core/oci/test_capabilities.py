import pytest

from bridgehead.core.oci.capabilities import ALL, DEFAULT, granted


@pytest.mark.parametrize(
    ("add", "drop", "privileged", "expected"),
    [
        ((), (), False, DEFAULT),
        (("net_admin",), (), False, DEFAULT | {"CAP_NET_ADMIN"}),
        (("CAP_NET_ADMIN",), ("cap_chown",), False, (DEFAULT | {"CAP_NET_ADMIN"}) - {"CAP_CHOWN"}),
        ((), ("ALL",), False, frozenset()),
        (("NET_RAW",), ("all",), False, {"CAP_NET_RAW"}),
        (("ALL",), ("SYS_ADMIN",), False, ALL - {"CAP_SYS_ADMIN"}),
        ((), ("ALL",), True, ALL),
    ],
)
def test_capabilities_after_adding_and_dropping(add, drop, privileged, expected):
    actual = granted(add=add, drop=drop, privileged=privileged, available=ALL)

    assert expected == actual


def test_all_is_what_the_daemon_can_give():
    actual = granted(add=("ALL",), drop=(), privileged=False, available=DEFAULT)

    assert actual == DEFAULT
