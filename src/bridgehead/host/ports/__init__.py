"""Published ports: a process of its own that keeps them (`__main__`), and the plane that tells it which.

This module imports nothing, so that the process stays small.
"""
