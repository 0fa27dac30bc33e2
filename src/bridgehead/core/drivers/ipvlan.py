"""The ipvlan driver: endpoints share the parent's MAC address and are told apart by their IP addresses.

Modes: l2 (a switch inside the parent), l3 (a router: no broadcast, no multicast, and the way out is the link
itself), l3s (l3 whose packets pass the host's connection tracking). Flags: bridge (endpoints reach each
other), private, vepa.
"""

from bridgehead.core.drivers.lan import LanDriver
from bridgehead.core.drivers.lan_options import Words

IPVLAN = LanDriver(Words("ipvlan", "di", ("l2", "l3", "l3s"), ("bridge", "private", "vepa"), shares_mac=True))
