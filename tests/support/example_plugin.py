"""The example drivers of `examples/plugins`, on a test host."""

import json
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
        until(self.socket.exists, "the plugin's socket", limit_s=20)

    def stop(self) -> None:
        (pid,) = [pid for pid, words in self.host.processes().items() if str(EXAMPLE) in words]
        self.host.kill(pid, 15)
        assert self.process.wait(10) == 0
        assert not self.socket.exists()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kept(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = json.loads(self.state.read_text()) if self.state.exists() else {}
        return NOTHING | kept
