"""Another daemon that may hold docker0."""

from pathlib import Path


def rival() -> str:
    """A dockerd in this network namespace, in words; '' when there is none."""
    here = Path("/proc/self/ns/net").stat().st_ino
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = (process / "comm").read_text().strip() == "dockerd"
            if named and (process / "ns/net").stat().st_ino == here:
                return f"dockerd (process {process.name})"
        except OSError:
            continue  # it ended meanwhile
    return ""
