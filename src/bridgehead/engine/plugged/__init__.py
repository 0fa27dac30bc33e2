"""Talking to plugins: every call that changes something is written down first, so that whoever comes after a
crash can undo it."""
