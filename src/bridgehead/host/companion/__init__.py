"""What processes beside the daemon have in common: a loop, a talk over a unix socket, a start and an end.

This module imports nothing, so that these processes stay small.
"""
