"""Bridgehead: Docker's network system in Python.

Rooms, from the inside out: `core` thinks (pure values), `engine` decides (the one writer), `host` does
(kernel, files, processes), `api` and `cli` talk. `daemon` wires them; docs/design/ has a page for each.
"""

__version__ = "0.1.0"
