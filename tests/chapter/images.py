"""The images the chapter names, made of busybox: a web application, a database, and centos."""

import io
import tarfile

from tests.support import image
from tests.support.daemon import Daemon
from tests.support.testhost import Host

# `python app.py` of the chapter: a web server that tells who asked.
_APPLICATION = """\
#!/bin/sh
mkdir -p /srv/cgi-bin
printf '#!/bin/sh\\necho\\necho "Hello, $REMOTE_ADDR"\\n' >/srv/cgi-bin/hello
chmod 755 /srv/cgi-bin/hello
exec httpd -f -p 0.0.0.0:5000 -h /srv
"""
_DATABASE = 'CMD ["sh", "-c", "mkdir -p /srv; echo rows >/srv/table; exec httpd -f -p 0.0.0.0:5432 -h /srv"]'


def prepare(daemon: Daemon) -> None:
    """Give the daemon every image that the chapter's commands name."""
    daemon.import_image()
    docker = daemon.docker
    docker.ok("tag", image.NAME, "centos")
    _import(daemon, "training/webapp", _with_application(), "EXPOSE 5000")
    _import(daemon, "training/postgres", image.archive(), "EXPOSE 5432", _DATABASE)


def hello(host: Host, address: str, port: int = 5000) -> str:
    """What the web application says to a visitor from `host`; '' if it cannot be reached."""
    asking = f"printf 'GET /cgi-bin/hello HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 {address} {port}"
    return host.run("sh", "-c", asking, check=False).stdout.rpartition("\n\n")[2]


def _import(daemon: Daemon, name: str, archive: bytes, *changes: str) -> None:
    # Later ones win, so the image's own command goes last.
    words = [word for change in (*image.CHANGES, *changes) for word in ("--change", change)]
    daemon.docker.ok("import", *words, "-", name, stdin=archive, timeout_s=60)


def _with_application() -> bytes:
    buffer = io.BytesIO(image.archive())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        entry = tarfile.TarInfo("bin/python")
        entry.size, entry.mode = len(_APPLICATION), 0o755
        tar.addfile(entry, io.BytesIO(_APPLICATION.encode()))
    return buffer.getvalue()
