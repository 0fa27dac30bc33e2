"""Fixtures for tests on a real kernel. A failed test shows the log of every daemon it used."""

import os
from collections.abc import Generator, Iterator

import pytest

from tests.support.bridgehead import bridgehead as make_bridgehead
from tests.support.census import links
from tests.support.daemon import Daemon
from tests.support.oracle import available as oracle_available
from tests.support.oracle import oracle as make_oracle
from tests.support.own_network import enter_own_network
from tests.support.testhost import Host
from tests.support.wait import until


def pytest_configure(config: pytest.Config) -> None:
    """Tests that run side by side must not meet on one loopback."""
    if hasattr(config, "workerinput") and os.geteuid() == 0:
        enter_own_network()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("host"):
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Daemon):
                report.sections.append((f"log of {name} ({value.recipe.kind})", value.log()))
    return report


@pytest.fixture
def host() -> Iterator[Host]:
    """A fresh machine for one test."""
    with Host() as machine:
        yield machine


@pytest.fixture
def fresh_daemon(host: Host) -> Iterator[Daemon]:
    """Our daemon, with the image, on a machine of its own; for tests that kill or restart it."""
    with make_bridgehead(host) as daemon:
        daemon.import_image()
        yield daemon


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """Our daemon, with the image, shared by the tests of one module: leave it as it was found."""
    with Host("ours") as machine, make_bridgehead(machine) as running:
        running.import_image()
        # The first container waits until an OCI runtime was chosen by trying; afterwards all is quiet.
        running.docker.ok("run", "--rm", "busybox", "true")
        # The kernel drops the pair of a namespace that is gone some milliseconds later.
        until(lambda: not [name for name in links(machine) if name.startswith("veth")], "no veth pair left")
        yield running


@pytest.fixture(scope="session")
def oracle() -> Iterator[Daemon]:
    """The reference daemon, with the image, shared by the whole session."""
    if not oracle_available():
        pytest.skip("no dockerd here: run script/bootstrap --oracle")
    with Host("reference") as machine, make_oracle(machine) as running:
        running.import_image()
        yield running
