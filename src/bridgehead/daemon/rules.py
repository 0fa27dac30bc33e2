"""Which firewall is meant on this machine, and how its rules are spelled."""

import logging

from bridgehead.core.firewall.iptables import IptablesSpelling, companion
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.settings import DaemonOptions, FirewallBackend
from bridgehead.host.firewalld import plane as firewalld
from bridgehead.host.iptables.programs import Programs
from bridgehead.host.iptables.surroundings import foreign_drops
from bridgehead.host.machine import surroundings

_log = logging.getLogger("bridgehead.rules")


def backend(options: DaemonOptions, programs: Programs) -> FirewallBackend:
    """iptables wherever it can be used, unless the user chose.

    Raises:
        HostRefused: the user chose iptables, and it cannot be used here.
    """
    if options.firewall_backend is FirewallBackend.NFTABLES:
        return FirewallBackend.NFTABLES
    try:
        programs.save(4)
    except HostRefused as error:
        if options.firewall_backend is FirewallBackend.IPTABLES:
            raise HostRefused(f"firewall-backend iptables cannot be used here: {error.message}") from error
        _log.info("iptables cannot be used here (%s): nftables it is", error)
        return FirewallBackend.NFTABLES
    return FirewallBackend.IPTABLES


class OtherFirewalls:
    """Fits `engine.world.Neighbours`. In the iptables table that we use ourselves our rules come first."""

    def __init__(self, programs: Programs, chosen: FirewallBackend, options: DaemonOptions) -> None:
        self._programs = programs
        self._only_others = chosen is FirewallBackend.IPTABLES
        self._managed = options.iptables

    def companions(self) -> tuple[FirewallRule, ...]:
        if not self._managed:
            return ()
        found = foreign_drops(self._programs, with_own=not self._only_others)
        return tuple(
            rule for foreign in found for rule in companion(*foreign.place, after_user=foreign.has_user_chain)
        )

    def zoned(self) -> bool:
        return self._managed and firewalld.is_running()


def spelling(options: DaemonOptions, chosen: FirewallBackend, adopted: frozenset[str]) -> Spelling:
    """`adopted`: bridges of somebody else that we use."""
    if not options.iptables:
        return NoFirewall()
    if chosen is FirewallBackend.NFTABLES:
        return NftSpelling()
    return IptablesSpelling(
        families=(4, 6) if options.ip6tables else (4,),
        guard=GuardSpelling(),
        adopted=adopted,
        bridged=surroundings.bridged_families(),
    )
