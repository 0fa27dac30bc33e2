"""What docs/drivers.md shows works, and it names every method."""

import inspect
import re
from pathlib import Path
from typing import Any

from bridgehead.plugin import IpamDriver, NetworkDriver
from bridgehead.plugin.dispatch import Dispatch

_PAGE = (Path(__file__).parents[2] / "docs/drivers.md").read_text(encoding="utf-8")


def test_the_driver_shown_is_one() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    found: dict[str, Any] = {"__name__": "shown"}

    exec(compile(code, "docs/drivers.md", "exec"), found)
    dispatch = Dispatch([found["Wire"]()])

    assert dispatch("NetworkDriver.CreateNetwork", b'{"NetworkID": "n"}') == (200, b"{}")
    assert dispatch(
        "NetworkDriver.CreateNetwork",
        b'{"NetworkID": "n", "Options": {"com.docker.network.generic": {"a": "b"}}}',
    ) == (200, b'{"Err":"this driver has no options"}')


def test_every_method_is_explained() -> None:
    methods = {
        name
        for kind in (NetworkDriver, IpamDriver)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }

    assert {name for name in methods if f"`{name}`" not in _PAGE} == set()
