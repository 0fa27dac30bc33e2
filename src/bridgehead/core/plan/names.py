"""What the embedded resolver knows, and how a sandbox reaches it. Kernel objects: see `objects`."""

from dataclasses import dataclass
from typing import ClassVar

from bridgehead.core.plan.key import Key


@dataclass(frozen=True, slots=True)
class ResolverRedirect:
    """Inside a sandbox: what is sent to 127.0.0.11:53 reaches the resolver's `port`. `lent`: the namespace is
    somebody else's and stays, so the redirect must be taken away by itself.
    """

    RANK: ClassVar[int] = 25
    replaceable: ClassVar[bool] = False
    namespace: str
    port: int
    lent: bool = False

    @property
    def key(self) -> Key:
        return ("resolver-redirect", self.namespace)

    @property
    def parent(self) -> Key | None:
        return None if self.lent else ("namespace", self.namespace)


@dataclass(frozen=True, slots=True)
class NameRecord:
    """What one endpoint is called on one network. The first name answers reverse queries."""

    RANK: ClassVar[int] = 30
    replaceable: ClassVar[bool] = True
    endpoint: str
    network: str
    network_name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def key(self) -> Key:
        return ("name-record", self.endpoint)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class Upstream:
    """A name server; asked from inside the sandbox when the user chose it, else from the host."""

    address: str
    from_sandbox: bool = False


@dataclass(frozen=True, slots=True)
class ResolverView:
    """What one sandbox may ask: a listener on 127.0.0.11:`port` in `namespace`.

    `networks` are ids in gateway order; `links` are (network id, alias, target name) private to this view.
    `ndots_set`: the user chose ndots, so unknown single-label names are not forwarded.
    """

    RANK: ClassVar[int] = 31
    replaceable: ClassVar[bool] = True
    sandbox: str
    namespace: str
    port: int
    networks: tuple[str, ...] = ()
    links: tuple[tuple[str, str, str], ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    ndots_set: bool = False

    @property
    def key(self) -> Key:
        return ("resolver-view", self.sandbox)

    @property
    def parent(self) -> Key | None:
        return None
