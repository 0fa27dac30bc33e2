"""Which firewall is meant on this machine, and how its rules are spelled."""

import logging

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.settings import DaemonOptions, FirewallBackend
from bridgehead.host.iptables.programs import Programs
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


def spelling(options: DaemonOptions, chosen: FirewallBackend) -> Spelling:
    if not options.iptables:
        return NoFirewall()
    bridged = surroundings.bridged_families()
    if chosen is FirewallBackend.NFTABLES:
        return NftSpelling(bridged)
    return IptablesSpelling(
        families=(4, 6) if options.ip6tables else (4,),
        guard=GuardSpelling(),
        adopted=frozenset({options.bridge.name} - {""}),
        bridged=bridged,
    )
