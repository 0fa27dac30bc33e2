"""The embedded DNS: a process of its own for all sandboxes (`__main__`), and the plane that feeds it.

This module imports nothing, so that the process stays small: its memory and its start are part of every
container's first second.
"""
