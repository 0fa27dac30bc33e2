"""The message bus, and machines without one; tests/client/test_firewalld.py meets firewalld itself."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress  # type: ignore[import-untyped]

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Create
from bridgehead.core.plan.zones import ZoneMember
from bridgehead.host.firewalld import bus as bus_room
from bridgehead.host.firewalld.bus import Bus, Refused
from bridgehead.host.firewalld.plane import FirewalldPlane, is_running
from tests.support.wait import until

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><auth>EXTERNAL</auth><listen>unix:path={}</listen>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/></policy>
<policy context="default"><allow own="*"/></policy></busconfig>
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the machine's bus would be."""
    path = tmp_path / "bus"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={path},guid=1")
    return path


@pytest.fixture
def running(path: Path) -> Iterator[None]:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("not installed: dbus-daemon (Debian: dbus)")
    configuration = path.with_name("bus.conf")
    configuration.write_text(CONFIGURATION.format(path))
    words = ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={configuration}"]
    with subprocess.Popen(words) as process:
        try:
            until(path.exists, "the bus")
            yield
        finally:
            process.terminate()


@pytest.mark.usefixtures("path")
def test_without_a_bus_nothing_runs_and_nothing_is_to_do() -> None:
    plane = FirewalldPlane(lambda name: True)

    assert not is_running()
    assert plane.observe() == {}
    assert plane.apply([Create(ZoneMember("docker0"))]) == {}


def test_a_bus_that_does_not_answer_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_room, "_LIMIT_S", 0.1)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        assert not is_running()


@pytest.mark.usefixtures("running")
def test_a_bus_without_firewalld() -> None:
    assert not is_running()


@pytest.mark.usefixtures("running")
def test_what_the_bus_answers() -> None:
    with Bus() as bus:
        names = bus.ask("ListNames")

        assert "org.freedesktop.DBus" in names
        assert bus.ask("NameHasOwner", "org.freedesktop.DBus") == 1
        assert bus.ask("GetConnectionUnixProcessID", names[-1]) > 0


@pytest.mark.usefixtures("running")
def test_who_is_not_there_is_not_waited_for() -> None:
    with Bus() as bus, pytest.raises(Refused) as refused:
        bus.call(DBusAddress("/", "org.fedoraproject.FirewallD1", "org.example"), "Nothing")

    assert refused.value.name == "org.freedesktop.DBus.Error.NameHasNoOwner"


@pytest.mark.usefixtures("path")
def test_no_bus_is_a_refusal_of_the_host() -> None:
    with pytest.raises(HostRefused, match="system bus"):
        Bus()
