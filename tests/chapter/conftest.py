"""A machine for the chapter: with an uplink, and a daemon with the flags that a test names."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.chapter import images
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import Host

BACKENDS = ("iptables", "nftables")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(host: Host) -> Iterator[Callable[..., Daemon]]:
    """Starts our daemon on `host` with the given flags, and gives it the chapter's images."""
    host.outside()
    with ExitStack() as running:

        def start(*flags: str) -> Daemon:
            daemon = running.enter_context(bridgehead(host, *flags))
            images.prepare(daemon)
            return daemon

        yield start
