"""Which question each method carries, and which answer it has."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from bridgehead.core.remote import protocol as p


@dataclass(frozen=True, slots=True)
class Call:
    """`request` None: the method is called with an empty body."""

    request: type[Struct] | None
    answer: type[p.Answer]


NETWORK_CALLS: Mapping[str, Call] = {
    "GetCapabilities": Call(None, p.NetworkCapabilities),
    "AllocateNetwork": Call(p.AllocateNetwork, p.AllocatedNetwork),
    "FreeNetwork": Call(p.FreeNetwork, p.Nothing),
    "GwAllocCheck": Call(p.GwAllocCheck, p.GwAllocChecked),
    "CreateNetwork": Call(p.CreateNetwork, p.Nothing),
    "DeleteNetwork": Call(p.DeleteNetwork, p.Nothing),
    "CreateEndpoint": Call(p.CreateEndpoint, p.CreatedEndpoint),
    "EndpointOperInfo": Call(p.EndpointOperInfo, p.OperInfo),
    "DeleteEndpoint": Call(p.DeleteEndpoint, p.Nothing),
    "Join": Call(p.Join, p.Joined),
    "Leave": Call(p.Leave, p.Nothing),
    "ProgramExternalConnectivity": Call(p.ProgramExternalConnectivity, p.Nothing),
    "RevokeExternalConnectivity": Call(p.RevokeExternalConnectivity, p.Nothing),
    "DiscoverNew": Call(p.DiscoverNew, p.Nothing),
    "DiscoverDelete": Call(p.DiscoverDelete, p.Nothing),
}

IPAM_CALLS: Mapping[str, Call] = {
    "GetCapabilities": Call(None, p.IpamCapabilities),
    "GetDefaultAddressSpaces": Call(None, p.AddressSpaces),
    "RequestPool": Call(p.RequestPool, p.Pool),
    "ReleasePool": Call(p.ReleasePool, p.Nothing),
    "RequestAddress": Call(p.RequestAddress, p.GivenAddress),
    "ReleaseAddress": Call(p.ReleaseAddress, p.Nothing),
}

CALLS: Mapping[str, Call] = {
    p.ACTIVATE: Call(None, p.Implements),
    **{f"{p.NETWORK_DRIVER}.{method}": call for method, call in NETWORK_CALLS.items()},
    **{f"{p.IPAM_DRIVER}.{method}": call for method, call in IPAM_CALLS.items()},
}
