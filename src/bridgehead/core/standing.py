"""An interface that was there before a decision about it, as somebody who looked describes it."""

from dataclasses import dataclass

from bridgehead.core.model.addresses import Interface


@dataclass(frozen=True, slots=True)
class Standing:
    """`ours`: the link bears our mark. `foreign`: its addresses that do not, in the kernel's order.

    `ports` names the interfaces plugged into it that are not ours. Link-local IPv6 addresses are left out:
    the kernel gives them by itself.
    """

    name: str
    is_bridge: bool
    ours: bool
    up: bool = True
    own: tuple[Interface, ...] = ()
    foreign: tuple[Interface, ...] = ()
    ports: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[Interface, ...]:
        return (*self.foreign, *self.own)
