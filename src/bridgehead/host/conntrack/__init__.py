"""Forgetting connections: entries of the kernel's connection tracking, deleted by what they lead to."""
