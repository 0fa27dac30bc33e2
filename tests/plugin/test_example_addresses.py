"""The example's IPAM driver by itself: every call may come twice, and its own restart changes nothing."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bridgehead.plugin import Refused, ReleaseAddress, ReleasePool, RequestAddress, RequestPool

_EXAMPLE = Path(__file__).parents[2] / "examples/plugins/simple_bridge.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simple_bridge", _EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Restarting:
    """The driver, made anew from its file for each call."""

    def __init__(self, example: ModuleType, folder: Path) -> None:
        self._example = example
        self._file = folder / "state.json"

    def __getattr__(self, method: str) -> Any:
        return getattr(self._example.SimpleAddresses(self._example.State(self._file)), method)


@pytest.fixture
def addresses(example: ModuleType, tmp_path: Path) -> Any:
    return Restarting(example, tmp_path)


def _pool(wanted: str = "", **more: Any) -> RequestPool:
    return RequestPool(address_space="simple-local", pool=wanted, **more)


def _for(mac: str, pool: str = "10.5.0.0/29", address: str = "") -> RequestAddress:
    return RequestAddress.of_endpoint(pool, address, mac)


def test_addresses_are_given_in_turn_and_to_one_owner(addresses: Any) -> None:
    assert addresses.request_pool(_pool("10.5.0.0/29")).pool == "10.5.0.0/29"

    given = [
        addresses.request_address(RequestAddress.of_gateway("10.5.0.0/29")).address,
        *(addresses.request_address(_for(mac)).address for mac in ("m1", "m2", "m1")),
    ]
    addresses.release_address(ReleaseAddress(pool_id="10.5.0.0/29", address="10.5.0.2"))
    after = addresses.request_address(_for("m3")).address

    assert given == ["10.5.0.1/29", "10.5.0.2/29", "10.5.0.3/29", "10.5.0.2/29"]
    assert after == "10.5.0.4/29"  # not the one just released


def test_an_address_that_was_asked_for_may_be_taken(addresses: Any) -> None:
    addresses.request_pool(_pool("10.5.0.0/29"))
    addresses.request_address(_for("m1", address="10.5.0.6"))

    assert addresses.request_address(_for("m1", address="10.5.0.6")).address == "10.5.0.6/29"
    with pytest.raises(Refused, match=r"10\.5\.0\.6 belongs to m1"):
        addresses.request_address(_for("m2", address="10.5.0.6"))
    with pytest.raises(Refused, match=r"10\.6\.0\.1 is not in 10\.5\.0\.0/29"):
        addresses.request_address(_for("m2", address="10.6.0.1"))


def test_a_full_pool_says_so(addresses: Any) -> None:
    addresses.request_pool(_pool("10.5.0.0/30"))
    for mac in ("m1", "m2"):
        addresses.request_address(_for(mac, "10.5.0.0/30"))

    with pytest.raises(Refused, match=r"every address of 10\.5\.0\.0/30 is in use"):
        addresses.request_address(_for("m3", "10.5.0.0/30"))


def test_a_pool_in_use_is_not_given_again(addresses: Any) -> None:
    first = addresses.request_pool(_pool()).pool
    again = addresses.request_pool(_pool()).pool  # the first answer was never heard
    addresses.request_address(RequestAddress.of_gateway(first))

    assert (first, again, addresses.request_pool(_pool()).pool) == (
        "10.222.0.0/24",
        "10.222.0.0/24",
        "10.222.1.0/24",
    )
    with pytest.raises(Refused, match=r"10\.222\.0\.0/16 overlaps with 10\.222\.0\.0/24, which is in use"):
        addresses.request_pool(_pool("10.222.0.0/16"))
    assert addresses.request_pool(_pool(v6=True)).pool == "fd22:2222::/64"


def test_what_is_gone_is_released_without_complaint(addresses: Any) -> None:
    addresses.release_pool(ReleasePool(pool_id="10.5.0.0/29"))
    addresses.release_address(ReleaseAddress(pool_id="10.5.0.0/29", address="10.5.0.2"))

    with pytest.raises(Refused, match=r"pool 10\.5\.0\.0/29 is not known here"):
        addresses.request_address(_for("m1"))
