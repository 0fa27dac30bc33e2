"""Listening to the kernel: what others do to links, addresses, routes and firewall rules."""
