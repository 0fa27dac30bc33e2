"""What every firewall backend can spell: the same records, each in kernel objects of its own kind."""

from collections.abc import Iterable
from typing import Protocol

from bridgehead.core.firewall.rules import LinkAccept, NetworkPolicy, Published
from bridgehead.core.plan.objects import KernelObject


class Spelling(Protocol):
    """Pure and memoryless: the objects of one record never depend on other records."""

    def base(self) -> Iterable[KernelObject]:
        """What stands once, whatever networks there are."""
        ...

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]: ...

    def published(self, item: Published) -> Iterable[KernelObject]: ...

    def link(self, item: LinkAccept) -> Iterable[KernelObject]: ...


class NoFirewall:
    """`--iptables=false`: the host's rules are its owner's business alone."""

    def base(self) -> Iterable[KernelObject]:
        return ()

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]:
        return ()

    def published(self, item: Published) -> Iterable[KernelObject]:
        return ()

    def link(self, item: LinkAccept) -> Iterable[KernelObject]:
        return ()
