"""The macvlan driver: every endpoint is a machine of its own on the parent's wire, with its own MAC address.

Modes: bridge (endpoints on one parent reach each other), private (they do not), vepa (they do if the switch
sends frames back), passthru (one endpoint has the parent for itself). The host never reaches them through
the parent: the kernel gives what the host sends to the wire alone.
"""

from bridgehead.core.drivers.lan import LanDriver
from bridgehead.core.drivers.lan_options import Words

MACVLAN = LanDriver(Words("macvlan", "dm", ("bridge", "private", "vepa", "passthru")))
