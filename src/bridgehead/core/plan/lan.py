"""The links of macvlan and ipvlan networks. Two of the kernel objects: see `objects`."""

from dataclasses import dataclass, replace
from typing import ClassVar

from bridgehead.core.plan.key import Key

_EXCLUSIVE = "passthru"


@dataclass(frozen=True, slots=True)
class ParentLink:
    """An interface in the daemon's own namespace that was made to be a parent: `kind` is vlan or dummy.

    A vlan's frames leave by `base`, tagged with the id `vlan`. `whole` False: it is down and need not be.
    """

    RANK: ClassVar[int] = 20
    replaceable: ClassVar[bool] = False
    name: str
    kind: str
    base: str = ""
    vlan: int = 0
    whole: bool = True

    @property
    def key(self) -> Key:
        return ("link", "", self.name)

    @property
    def parent(self) -> Key | None:
        return None

    def can_become(self, wanted: "ParentLink") -> bool:
        """Whether in place, so that what stands on it lives on."""
        return replace(self, whole=wanted.whole) == wanted


@dataclass(frozen=True, slots=True)
class SubLink:
    """An interface inside `namespace` whose frames pass through `lower`, in the daemon's own; `kind` is
    macvlan or ipvlan. It is up.

    `mac` and `mtu` (bytes) are '' and 0 where they are the lower link's, or whatever it has. `flag`: of
    ipvlan. `sysctls` as for `Veth`. `whole` False: it is down, or not of the size that was wanted.
    """

    RANK: ClassVar[int] = 22
    replaceable: ClassVar[bool] = False
    kind: str
    lower: str
    namespace: str
    name: str
    mode: str
    flag: str = ""
    mac: str = ""
    mtu: int = 0
    ipv6: bool = False
    sysctls: tuple[str, ...] = ()
    whole: bool = True

    @property
    def key(self) -> Key:
        return ("link", self.namespace, self.name)

    @property
    def parent(self) -> Key | None:
        return ("namespace", self.namespace)

    def can_become(self, wanted: "SubLink") -> bool:
        """Whether in place: connections live on. A lower link is not shared and unshared by a word."""
        if self.mode != wanted.mode and _EXCLUSIVE in {self.mode, wanted.mode}:
            return False
        return replace(self, mode=wanted.mode, flag=wanted.flag, whole=wanted.whole) == wanted
