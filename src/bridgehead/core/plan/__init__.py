"""Kernel objects as values, and the difference between two states as an ordered list of operations."""
