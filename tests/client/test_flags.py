"""Every verb and flag of docker's command line is one of ours, but for those named here with the reason."""

import re
import subprocess

import click
import pytest

from bridgehead.cli.verbs import root, targets
from tests.support.docker import DOCKER

pytestmark = pytest.mark.host  # where the docker command line is

FLAG = re.compile(r"^ {2,6}(?:-(\w), )?--([\w-]+)", re.MULTILINE)
VERB = re.compile(r"^  (\w+)\*? {2,}", re.MULTILINE)
NOUNS = ("", "container", "image", "network", "system", "volume")

ANOTHER_ENGINE = {
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "compose",
    "context",
    "manifest",
    "plugin",
    "trust",
}
SWARM = {"config", "node", "secret", "service", "stack", "swarm"}
REGISTRY_SECRETS = {"login", "logout"}  # docker's own login is used: see docs/design/cli.md
ABSENT_VERBS = {*ANOTHER_ENGINE, *SWARM, *REGISTRY_SECRETS, "image build", "volume update"}
WINDOWS = {"cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops", "isolation"}
UNKNOWN_TO_THE_DAEMON = {"gpus", "kernel-memory", "use-api-socket"}
CLUSTER_VOLUMES = {
    *("availability", "cluster", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing"),
    *("topology-preferred", "topology-required", "type"),
}
# By the last word of the verb.
ABSENT_FLAGS = {
    "create": {"ingress", *WINDOWS, *UNKNOWN_TO_THE_DAEMON, *CLUSTER_VOLUMES},
    "images": {"tree"},
    "list": {"tree", "cluster"},
    "ls": {"tree", "cluster"},
    "run": {*WINDOWS, *UNKNOWN_TO_THE_DAEMON},
    "start": {"checkpoint", "checkpoint-dir"},
}
FOR_ALL = {"help", "disable-content-trust"}


def docker_help(verb: str) -> str:
    return subprocess.run(
        [DOCKER, *verb.split(), "--help"], capture_output=True, text=True, timeout=20, check=True
    ).stdout


def command(verb: str) -> click.Command:
    found: click.Command = root
    for word in verb.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None, verb
        found = inner
    return found


@pytest.mark.parametrize("noun", NOUNS)
def test_every_verb_is_known(noun: str) -> None:
    listed = {
        f"{noun} {verb}".strip() for verb in VERB.findall(docker_help(noun).partition("Global Options")[0])
    }
    own = {*targets(), *NOUNS}

    assert {verb for verb in listed if verb not in ABSENT_VERBS and verb not in own} == set()


@pytest.mark.parametrize("verb", sorted(name for name in targets() if not name.startswith("sandbox")))
def test_every_flag_is_known(verb: str) -> None:
    if verb in {"completion", "man"}:
        pytest.skip("ours alone")
    theirs = {long for _, long in FLAG.findall(docker_help(verb))} | {
        short for short, _ in FLAG.findall(docker_help(verb)) if short
    }
    known = {
        name.lstrip("-") for param in command(verb).params for name in (*param.opts, *param.secondary_opts)
    }

    assert theirs - known - FOR_ALL - ABSENT_FLAGS.get(verb.rsplit(maxsplit=1)[-1], set()) == set()
