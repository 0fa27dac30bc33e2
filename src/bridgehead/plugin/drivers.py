"""What a driver's author fills in. Each method answers one call; its request says when it is made.

The engine may make a call again that it does not know the outcome of, so every method should be content with
finding its work done already. Calls come one at a time unless `serve` is told otherwise.
"""

# ruff: noqa: B027 - what a driver need not do, it does by doing nothing

from abc import ABC, abstractmethod

from bridgehead.core.remote import protocol as p


class Refused(Exception):
    """The call cannot be done, and changed nothing. The text is what the user reads.

    Engines put `remote: ` before it; with a `status` other than 200, the name of the call.
    """

    def __init__(self, text: str, status: int = 200) -> None:
        super().__init__(text)
        self.status = status


class NetworkDriver(ABC):
    """`scope` "local": each host has networks of its own. "global": they are the whole cluster's."""

    scope = "local"
    connectivity_scope = ""

    def get_capabilities(self) -> p.NetworkCapabilities:
        return p.NetworkCapabilities(scope=self.scope, connectivity_scope=self.connectivity_scope)

    @abstractmethod
    def create_network(self, request: p.CreateNetwork) -> None:
        """The user's `-o` options are `request.driver_options`; refuse what you do not know."""

    @abstractmethod
    def delete_network(self, request: p.DeleteNetwork) -> None: ...

    @abstractmethod
    def create_endpoint(self, request: p.CreateEndpoint) -> p.CreatedEndpoint | None:
        """Answer with an address or a MAC address only where `request.interface` has none."""

    @abstractmethod
    def delete_endpoint(self, request: p.DeleteEndpoint) -> None: ...

    @abstractmethod
    def join(self, request: p.Join) -> p.Joined | None:
        """Make a link. The engine moves it into the sandbox, names it, gives it addresses and routes."""

    @abstractmethod
    def leave(self, request: p.Leave) -> None: ...

    def endpoint_oper_info(self, request: p.EndpointOperInfo) -> p.OperInfo | None:
        """What there is to tell about an endpoint; shown by nobody so far."""

    def program_external_connectivity(self, request: p.ProgramExternalConnectivity) -> None:
        """The endpoint has become its sandbox's way out: publish its ports (`port_map(request.options)`)."""

    def revoke_external_connectivity(self, request: p.RevokeExternalConnectivity) -> None:
        """It is no longer; also called before `leave`."""

    def discover_new(self, request: p.DiscoverNew) -> None:
        """A host has joined the cluster."""

    def discover_delete(self, request: p.DiscoverDelete) -> None: ...

    def gw_alloc_check(self, request: p.GwAllocCheck) -> p.GwAllocChecked | None:
        """Whether networks with these options do without a gateway. Asked where the capabilities say so."""

    def allocate_network(self, request: p.AllocateNetwork) -> p.AllocatedNetwork | None:
        """Only for scope "global", on a swarm's leader."""

    def free_network(self, request: p.FreeNetwork) -> None: ...


class IpamDriver(ABC):
    """`requires_mac_address`: each request for an endpoint's address tells its MAC address.

    `requires_request_replay`: requests are repeated when the engine starts again.
    """

    requires_mac_address = False
    requires_request_replay = False
    local_address_space = "LocalDefault"
    global_address_space = "GlobalDefault"

    def get_capabilities(self) -> p.IpamCapabilities:
        return p.IpamCapabilities(
            requires_mac_address=self.requires_mac_address,
            requires_request_replay=self.requires_request_replay,
        )

    def get_default_address_spaces(self) -> p.AddressSpaces:
        return p.AddressSpaces(
            local_default_address_space=self.local_address_space,
            global_default_address_space=self.global_address_space,
        )

    @abstractmethod
    def request_pool(self, request: p.RequestPool) -> p.Pool:
        """A block of addresses: `request.pool`, or any where that is empty."""

    @abstractmethod
    def release_pool(self, request: p.ReleasePool) -> None: ...

    @abstractmethod
    def request_address(self, request: p.RequestAddress) -> p.GivenAddress:
        """`request.address`, or any where that is empty; with the pool's prefix length."""

    @abstractmethod
    def release_address(self, request: p.ReleaseAddress) -> None: ...
