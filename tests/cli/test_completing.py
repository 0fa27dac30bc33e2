import subprocess
import sys
from pathlib import Path

import pytest

from bridgehead.cli.completion import BASH
from tests.cli.scripted import says


@pytest.fixture
def complete(daemon, monkeypatch, capsys):
    """The candidates for the last of `words`."""
    from bridgehead.cli.main import main

    running, gone = {"Names": ["/web", "/db/link"], "Status": "Up"}, {"Names": ["/gone"], "Status": "Exited"}
    daemon.on("GET", "/containers/json", says([running, gone]))
    daemon.on(
        "GET",
        "/networks",
        says([{"Name": "back", "Driver": "bridge"}, {"Name": "bridge", "Driver": "bridge"}]),
    )
    daemon.on("GET", "/images/json", says([{"RepoTags": ["busybox:latest", "box:v1"]}, {"RepoTags": None}]))
    daemon.on("GET", "/volumes", says({"Volumes": [{"Name": "data", "Driver": "local"}]}))
    daemon.on("GET", "/sandboxes", says([{"Name": "guest", "Netns": "/run/netns/guest"}]))
    monkeypatch.setenv("DOCKER_HOST", daemon.host)

    def ask(*words):
        assert main(["__complete", *words]) == 0
        return [line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()]

    return ask


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["netw"], ["network"]),
        (["network", "c"], ["connect", "create"]),
        (["network", "rm", ""], ["back", "bridge"]),
        (["network", "rm", "-f", "ba"], ["back"]),
        (["network", "connect", "back", "w"], ["web"]),
        (["network", "connect", "back", "web", ""], []),
        (["network", "create", ""], []),
        (["rm", ""], ["gone", "web"]),
        (["rm", "web", "g"], ["gone"]),
        (["run", "--network", "b"], ["back", "bridge"]),
        (["run", "-d", "--name", "x", "bu"], ["busybox", "busybox:latest"]),
        (["run", "--restart", "un"], ["unless-stopped"]),
        (["run", "--name", ""], []),
        (
            ["inspect", ""],
            ["back", "box:v1", "bridge", "busybox", "busybox:latest", "data", "gone", "guest", "web"],
        ),
        (["volume", "rm", ""], ["data"]),
        (["sandbox", "inspect", ""], ["guest"]),
        (["cp", "w"], ["web:"]),
        (["network", "ls", "--no"], ["--no-trunc"]),
        (["-H", "unix:///x", "netw"], ["network"]),
        (["frob", ""], []),
    ],
)
def test_what_could_stand_next_is_offered(complete, words, expected):
    assert complete(*words) == expected


def test_only_living_containers_can_be_stopped(complete, daemon):
    complete("stop", "")
    complete("start", "")

    assert [asked.query for asked in daemon.asked] == [{}, {"all": ["1"]}]


def test_without_a_daemon_there_are_no_names_and_no_error(monkeypatch, capfd, tmp_path):
    from bridgehead.cli.main import main

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")

    assert main(["__complete", "network", "rm", ""]) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bridgehead network rm ba", ["back"]),
        ("bridgehead network rm ", ["back", "bridge"]),
        ("bridgehead run box:", ["v1"]),
    ],
)
def test_bash_asks_and_is_answered(complete, daemon, line, expected):
    script = f'{BASH}\nCOMP_LINE=$1 COMP_POINT=${{#1}}\n_bridgehead\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'

    outcome = subprocess.run(
        ["bash", "-c", script, "bash", line],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "DOCKER_HOST": daemon.host},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert outcome.stdout.split() == expected


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_every_shell_has_a_script_that_asks(bridgehead, shell):
    assert "bridgehead __complete" in bridgehead("completion", shell).out


def test_another_shell_is_refused(bridgehead):
    outcome = bridgehead("completion", "csh")

    assert (outcome.code, outcome.out) == (1, "")
