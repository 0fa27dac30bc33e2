"""The questions of `IpamDriver` and their answers. GetCapabilities, GetDefaultAddressSpaces carry no body."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct, field

from bridgehead.core.model.addresses import Interface, Prefix
from bridgehead.core.remote import words
from bridgehead.core.remote.shapes import Answer, Request


class IpamCapabilities(Answer, frozen=True, kw_only=True):
    requires_mac_address: bool = field(default=False, name="RequiresMACAddress")
    requires_request_replay: bool = False


class AddressSpaces(Answer, frozen=True, kw_only=True):
    local_default_address_space: str = ""
    global_default_address_space: str = ""


class RequestPool(Request, frozen=True, kw_only=True):
    """`pool` "" lets the plugin choose. `sub_pool` is the part that addresses come from."""

    address_space: str
    pool: str = ""
    sub_pool: str = ""
    options: Mapping[str, str] | None = {}
    v6: bool = False


class Pool(Answer, frozen=True, kw_only=True):
    pool_id: str = ""
    pool: str = ""
    data: Mapping[str, str] = {}

    def check(self) -> None:
        _ = self.prefix, self.gateway

    def check_against(self, request: Struct | None) -> None:
        if isinstance(request, RequestPool) and (self.prefix.version == 6) is not request.v6:
            raise ValueError(f"{self.prefix} is not IPv{6 if request.v6 else 4}, which was asked for")

    @property
    def prefix(self) -> Prefix:
        return words.prefix(self.pool)

    @property
    def gateway(self) -> Interface | None:
        """The gateway the plugin has chosen; none need be requested then."""
        given = self.data.get(words.GATEWAY)
        return words.cidr(given) if given else None


class ReleasePool(Request, frozen=True, kw_only=True):
    pool_id: str


class RequestAddress(Request, frozen=True, kw_only=True):
    """`address` is a bare address, or "" for any. `options` is null for auxiliary addresses."""

    pool_id: str
    address: str = ""
    options: Mapping[str, str] | None = None

    @classmethod
    def of_gateway(cls, pool_id: str, address: str = "") -> Self:
        return cls(pool_id=pool_id, address=address, options={words.REQUEST_ADDRESS_TYPE: words.GATEWAY})

    @classmethod
    def of_endpoint(cls, pool_id: str, address: str = "", mac: str | None = None) -> Self:
        return cls(pool_id=pool_id, address=address, options={words.MAC_ADDRESS: mac} if mac else None)


class GivenAddress(Answer, frozen=True, kw_only=True):
    address: str = ""
    data: Mapping[str, str] = {}

    def check(self) -> None:
        _ = self.interface

    @property
    def interface(self) -> Interface:
        return words.cidr(self.address)


class ReleaseAddress(Request, frozen=True, kw_only=True):
    pool_id: str
    address: str
