"""Containers' root file systems, as overlay mounts."""
