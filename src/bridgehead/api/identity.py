"""Who this daemon is: the facts `/info` and `/version` tell, gathered once by whoever starts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridgehead.core.images.registries import RegistryOptions


@dataclass(frozen=True, slots=True)
class Identity:
    """`pools` are the default address pools as (base block, prefix length of one network)."""

    version: str
    engine_id: str
    host_name: str
    pools: Sequence[tuple[str, int]] = ()
    firewall: str = "nftables"
    runtime: str = "runc"
    debug: bool = False
    labels: Sequence[str] = ()
    userland_proxy: bool = True
    registries: RegistryOptions = field(default_factory=RegistryOptions)


Who = Callable[[], Identity]
