"""How a process with an empty memory knows its own: marks the kernel keeps, set in the creating message.

A link carries its group, an address and a route their protocol number. Nothing is ever ours by its name.
"""

# The group doubles as memory of the one wish the kernel could not show again: whoever owns a container may
# switch IPv6 on a link at any time, which must not look as if another link had been asked for.
LINK_GROUP = 0x62726964  # "brid"
LINK_GROUP_WITH_IPV6 = 0x62726936  # "bri6": the inner end of a veth whose endpoint has IPv6
# A link of somebody else's in one of our sandboxes. It is not ours to delete, only to give back.
LINK_GROUP_BORROWED = 0x6272696C  # "bril"
LINK_GROUPS = frozenset({LINK_GROUP, LINK_GROUP_WITH_IPV6})

# A sub-link is whole inside, and its own alias holds what the kernel could not show again (`lan_sight`).

# An outer end's alias holds the settings that were wanted for the inner one (`remember` in `links`): the
# container may have changed them since, and a fresh process could not guess which to read.

PROTOCOL = 98  # of routes and addresses; unassigned in iproute2's rt_protos and rt_addrprotos
