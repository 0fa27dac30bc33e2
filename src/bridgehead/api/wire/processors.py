"""Lists of processors and memory nodes, as control groups take them: "0-2,7"."""

import os
import re

from bridgehead.core.model.errors import InvalidParameter

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def checked(text: str, kind: str) -> str:
    """`text` again. `kind`: "cpus", which must be this machine's, or "mems".

    Raises:
        InvalidParameter: no list of numbers and ranges, or processors that are not here.
    """
    most = -1
    for part in text.split(",") if text else ():
        found = _PART.fullmatch(part)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise InvalidParameter(f"Invalid value {text} for cpuset {kind}")
        most = max(most, int(found[2] or found[1]))
    here = (os.cpu_count() or 1) - 1
    if kind == "cpus" and most > here:
        raise InvalidParameter(f"Requested CPUs are not available - requested {text}, available: 0-{here}")
    return text
