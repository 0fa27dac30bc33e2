"""Asking a web server from a test host. (Debian's static busybox dies in its `wget`.)"""

import sys

from tests.support.testhost import Host

_ASK = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=3).read().decode(), end="")
"""


def page(host: Host, address: str) -> str:
    """What `http://address/` answers; empty when nobody does."""
    return host.run(sys.executable, "-c", _ASK, f"http://{address}/", check=False).stdout
