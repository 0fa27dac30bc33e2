"""nftables over netlink: our table and its elements on the host, and the redirect in each sandbox."""
