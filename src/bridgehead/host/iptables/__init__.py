"""iptables as the kernel holds it: read by iptables-save, changed by one iptables-restore at a time."""
