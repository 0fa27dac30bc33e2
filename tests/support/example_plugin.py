"""The example drivers of `examples/plugins`, on a test host."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

from tests.support.testhost import Host
from tests.support.wait import until

EXAMPLE = Path(__file__).parents[2] / "examples/plugins/simple_bridge.py"
NOTHING: dict[str, dict[str, Any]] = {"networks": {}, "endpoints": {}, "pools": {}}


class ExamplePlugin:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.state = host.folder / "state.json"
        self.socket = host.root / "run/docker/plugins/simple.sock"
        self.start()

    def start(self) -> None:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SIMPLE_BRIDGE_STATE": str(self.state)}
        with (self.host.folder / "plugin.log").open("ab") as log:
            self.process = self.host.popen([sys.executable, EXAMPLE], stderr=log, env=environment)
        until(self._listens, "the plugin's socket", limit_s=20)

    def _listens(self) -> bool:
        """A killed one left a socket behind."""
        with socket.socket(socket.AF_UNIX) as visitor:
            return visitor.connect_ex(str(self.socket)) == 0

    @property
    def _pid(self) -> int:
        (pid,) = [pid for pid, words in self.host.processes().items() if str(EXAMPLE) in words]
        return pid

    def kill(self) -> None:
        self.host.kill(self._pid)
        self.process.wait(10)

    def stop(self) -> None:
        self.host.kill(self._pid, 15)
        assert self.process.wait(10) == 0
        assert not self.socket.exists()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kept(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = json.loads(self.state.read_text()) if self.state.exists() else {}
        return NOTHING | kept
