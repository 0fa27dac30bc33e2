"""A registry of one image whose layer stops half-way until somebody makes the file `go`; run as a program.

    python slow_registry.py FOLDER PORT

FOLDER holds manifest.json, config.json and layer.tar; what is asked for is noted in FOLDER/log.
"""

import hashlib
import http.server
import sys
import threading
from pathlib import Path
from socket import AF_INET

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_MOST_S = 60


class _Handler(http.server.BaseHTTPRequestHandler):
    folder = Path()
    lock = threading.Lock()

    def do_GET(self) -> None:
        with self.lock, (self.folder / "log").open("a") as log:
            log.write(f"{self.path}\n")
        for name in ("manifest.json", "config.json", "layer.tar"):
            content = (self.folder / name).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if self.path.endswith(digest) or (name == "manifest.json" and "/manifests/" in self.path):
                self._give(content, waits=name == "layer.tar")
                return
        self.send_error(404)

    def _give(self, content: bytes, *, waits: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", _MANIFEST)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if waits else len(content)
        self.wfile.write(content[:half])
        self.wfile.flush()
        if waits:
            self._wait()
            self.wfile.write(content[half:])

    def _wait(self) -> None:
        pause = threading.Event()
        for _ in range(_MOST_S * 100):
            if (self.folder / "go").exists():
                return
            pause.wait(0.01)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
        pass


class _Server(http.server.ThreadingHTTPServer):
    address_family = AF_INET
    daemon_threads = True


if __name__ == "__main__":
    _Handler.folder = Path(sys.argv[1])
    with _Server(("127.0.0.1", int(sys.argv[2])), _Handler) as server:
        (_Handler.folder / "ready").touch()
        server.serve_forever()
