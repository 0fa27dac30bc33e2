import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.format import byte_count
from bridgehead.cli.ports import port_bindings
from bridgehead.cli.wishes import environment, restart_policy
from tests.cli.scripted import says

CREATED = says({"Id": "c" * 64, "Warnings": []}, 201)


def body_of(daemon, bridgehead, *words):
    daemon.on("POST", "/containers/create", CREATED)
    outcome = bridgehead("create", *words)
    assert (outcome.err, outcome.code) == ("", 0)
    return daemon.asked[-1].json


def test_words_behind_the_image_are_the_commands_own(daemon, bridgehead):
    body = body_of(daemon, bridgehead, "-it", "--rm=false", "busybox", "ls", "--rm=true", "-h", "--", "x")

    assert body["Cmd"] == ["ls", "--rm=true", "-h", "--", "x"]
    assert (body["Tty"], body["OpenStdin"], body["HostConfig"]["AutoRemove"]) == (True, True, False)


@pytest.mark.parametrize(
    ("words", "removed"),
    [(["--rm=true"], True), (["--rm"], True), (["--rm=0"], False), (["-e", "--rm=true"], False)],
)
def test_switches_take_a_value_behind_an_equals_sign(daemon, bridgehead, words, removed):
    body = body_of(daemon, bridgehead, *words, "busybox")

    assert removed == body["HostConfig"]["AutoRemove"]


@pytest.mark.parametrize(
    ("words", "mode", "endpoints"),
    [
        ([], "default", {}),
        (["--net", "backend"], "backend", {}),
        (["--network=host"], "host", {}),
        (["--mac-address", "02:00:00:00:00:01"], "default", {"default": {"MacAddress": "02:00:00:00:00:01"}}),
        (["--net", "n", "--link", "a:b"], "n", {"n": {"Links": ["a:b"]}}),
        (["--network", "name=n,ip=10.0.0.2,gw-priority=3"], "n", {"n": {"GwPriority": 3}}),
        (["--net", "n", "--net", "m"], "n", {"n": {}, "m": {}}),
    ],
)
def test_networks_become_a_mode_and_endpoints(daemon, bridgehead, words, mode, endpoints):
    body = body_of(daemon, bridgehead, *words, "busybox")

    found = body["NetworkingConfig"]["EndpointsConfig"]
    assert (mode, set(endpoints)) == (body["HostConfig"]["NetworkMode"], set(found))
    for name, said in endpoints.items():
        assert said == {key: found[name][key] for key in said}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mac-address", "zz"], "zz is not a valid mac address"),
        (["--dns", "notip"], "IP address is not correctly formatted: notip"),
        (["--add-host", "a"], 'bad format for add-host: "a"'),
        (["--network-alias", "a"], "network-scoped aliases are only supported for user-defined networks"),
        (
            ["--net", "n", "--net", "bridge"],
            "cannot attach both user-defined and non-user-defined network-modes",
        ),
        (["-p", "1:99999"], "invalid containerPort: 99999"),
        (["-p", "80/foo"], "invalid proto: foo"),
        (["-m", "lots"], "invalid size: 'lots'"),
        (["--restart", "on-failure:x"], "maximum retry count must be an integer"),
        (["--zz"], "unknown flag: --zz"),
    ],
)
def test_wishes_that_make_no_sense_never_reach_the_daemon(daemon, bridgehead, words, sentence):
    outcome = bridgehead("run", *words, "busybox")

    assert sentence in outcome.err
    assert (outcome.code, daemon.asked) == (125, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512", 512),
        ("4b", 4),
        ("64k", 65536),
        ("10m", 10 << 20),
        ("10MB", 10 << 20),
        ("1.5GiB", 3 << 29),
        ("-1", -1),
    ],
)
def test_sizes_are_powers_of_1024(text, expected):
    assert expected == byte_count(text)


def test_restart_policies_may_have_a_count():
    assert restart_policy("on-failure:3") == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert restart_policy("always") == {"Name": "always", "MaximumRetryCount": 0}


def test_environment_takes_files_and_our_own_values(tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "1")
    monkeypatch.delenv("NOBODYS", raising=False)
    file = tmp_path / "env"
    file.write_text("# why\nA=b\n\nOURS\n")

    assert list(environment(["NOBODYS", "C=d=e"], [str(file)])) == ["A=b", "OURS=1", "C=d=e"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("80", {"80/tcp": [{"HostIp": "", "HostPort": ""}]}),
        ("8080:80/udp", {"80/udp": [{"HostIp": "", "HostPort": "8080"}]}),
        ("[::1]:8080:80", {"80/tcp": [{"HostIp": "::1", "HostPort": "8080"}]}),
        ("127.0.0.1::80", {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}),
        ("9100-9110:80", {"80/tcp": [{"HostIp": "", "HostPort": "9100-9110"}]}),
        (
            "90-91:80-81",
            {"80/tcp": [{"HostIp": "", "HostPort": "90"}], "81/tcp": [{"HostIp": "", "HostPort": "91"}]},
        ),
    ],
)
def test_published_ports_are_spelled_out(word, expected):
    assert expected == port_bindings([word])


def test_ranges_of_unequal_length_are_refused():
    with pytest.raises(CommandFailed, match="invalid ranges"):
        port_bindings(["90-92:80-81"])


@pytest.mark.parametrize("field", ["ipp=10.0.0.2", "ip", "=x", "gw-priority=high", "gw-priority="])
def test_a_field_of_a_network_that_there_is_not_is_refused(daemon, bridgehead, field):
    outcome = bridgehead("create", "--network", f"name=n,{field}", "busybox")

    assert (outcome.code, f'invalid field "{field}"' in outcome.err) == (125, True), outcome.err
    assert daemon.asked == []
