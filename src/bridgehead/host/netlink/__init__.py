"""The link plane: bridges, namespaces, veth pairs, addresses and routes, by our own rtnetlink messages."""
