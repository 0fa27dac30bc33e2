import json
from base64 import b64encode, urlsafe_b64decode

import pytest

from bridgehead.cli.credentials import registry_header, registry_of
from tests.cli.scripted import Says


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("busybox", "docker.io"),
        ("team/busybox", "docker.io"),
        ("localhost/busybox", "localhost"),
        ("registry.example/team/busybox", "registry.example"),
        ("registry:5000/busybox", "registry:5000"),
    ],
)
def test_the_registry_is_in_the_name(name, registry):
    assert registry == registry_of(name)


def sent(headers):
    return json.loads(urlsafe_b64decode(headers["X-Registry-Auth"]))


def test_what_login_wrote_down_is_sent(configuration):
    auth = b64encode(b"me:secret:word").decode()
    configuration.write_text(json.dumps({"auths": {"registry:5000": {"auth": auth}}}))

    said = {"username": "me", "password": "secret:word", "serveraddress": "registry:5000"}
    assert sent(registry_header("registry:5000/box")) == said
    assert registry_header("busybox") == {}
    assert sent(registry_header("busybox", always=True)) == {}


def test_a_credential_helper_is_asked(configuration, tmp_path, monkeypatch):
    program = tmp_path / "docker-credential-test"
    program.write_text('#!/bin/sh\nread it\nprintf \'{"Username": "%s", "Secret": "s"}\' "$it"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    configuration.write_text(json.dumps({"credsStore": "test"}))

    assert sent(registry_header("registry:5000/box"))["username"] == "registry:5000"


@pytest.mark.parametrize("text", ["", "no json", '{"credsStore": "absent"}'])
def test_without_credentials_nothing_is_sent(configuration, text):
    configuration.write_text(text)

    assert registry_header("registry:5000/box") == {}


def test_pull_sends_them_with_the_name_and_the_tag(daemon, bridgehead, configuration):
    auth = b64encode(b"me:secret").decode()
    configuration.write_text(json.dumps({"auths": {"registry:5000": {"auth": auth}}}))
    daemon.on("POST", "/images/create", Says(body=b'{"status":"Pulling","id":"v1"}\n'))

    outcome = bridgehead("pull", "registry:5000/box:v1")

    assert (outcome.code, outcome.out) == (0, "v1: Pulling\nregistry:5000/box:v1\n")
    assert daemon.asked[0].query == {"fromImage": ["registry:5000/box"], "tag": ["v1"]}
    assert sent(daemon.asked[0].headers)["password"] == "secret"


def test_run_pulls_what_is_missing_and_tries_again(daemon, bridgehead, configuration):
    daemon.on("POST", "/containers/create", Says(404, b'{"message":"No such image: box:latest"}'))
    daemon.on("POST", "/images/create", Says(body=b'{"status":"Pulling","id":"latest"}\n'))

    outcome = bridgehead("create", "box")

    assert daemon.calls == ["POST /containers/create", "POST /images/create", "POST /containers/create"]
    assert outcome.err.startswith("Unable to find image 'box:latest' locally\nlatest: Pulling\n")


@pytest.mark.parametrize("pull", ["never"])
def test_run_does_not_pull_when_told_not_to(daemon, bridgehead, pull):
    daemon.on("POST", "/containers/create", Says(404, b'{"message":"No such image: box:latest"}'))

    bridgehead("create", "--pull", pull, "box")

    assert daemon.calls == ["POST /containers/create"]
