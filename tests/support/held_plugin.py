"""The example drivers, but one call does not come back until it may: time to kill whoever waits for it.

    python -m tests.support.held_plugin METHOD FOLDER

Once METHOD was carried out, FOLDER/held is there, and the answer waits for FOLDER/go. Only the first time.
"""

import runpy
import sys
import time
from pathlib import Path
from typing import Any

from bridgehead.plugin import serve
from tests.support.example_plugin import EXAMPLE

_PATIENCE_S = 30


def _holding(kind: type[Any], method: str, folder: Path) -> type[Any]:
    whole = getattr(kind, method, None)
    if whole is None:
        return kind

    def held(self: Any, request: Any) -> Any:
        answer = whole(self, request)
        if not (folder / "held").exists():
            (folder / "held").touch()
            end = time.monotonic() + _PATIENCE_S
            while not (folder / "go").exists() and time.monotonic() < end:
                time.sleep(0.01)
        return answer

    return type(kind.__name__, (kind,), {method: held})


def main(method: str, folder: Path) -> None:
    example = runpy.run_path(str(EXAMPLE))
    state = example["State"](folder / "state.json")
    drivers = [_holding(example[name], method, folder)(state) for name in ("SimpleBridge", "SimpleAddresses")]
    serve(*drivers, name="simple")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
