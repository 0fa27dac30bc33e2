"""What a runtime may ask, and the specification's codes for what it may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.cni.request import VERSIONS
from tests.cni.asking import answered, configured, environment

_UNREACHABLE = {"socket": "/nonexistent/bridgehead.sock"}


@pytest.mark.parametrize("version", ["0.1.0", "1.0.0", "9.0.0"])
def test_version_is_told_whatever_is_spoken(version: str) -> None:
    code, answer = answered({"CNI_COMMAND": "VERSION"}, {"cniVersion": version})

    assert code == 0
    assert answer == {"cniVersion": version, "supportedVersions": list(VERSIONS)}


def test_version_is_told_to_who_says_nothing() -> None:
    assert answered({"CNI_COMMAND": "VERSION"}, b"") == (
        0,
        {"cniVersion": "1.1.0", "supportedVersions": ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]},
    )


@pytest.mark.parametrize(
    ("command", "left_out"),
    [
        ("ADD", "CNI_CONTAINERID"),
        ("ADD", "CNI_NETNS"),
        ("ADD", "CNI_IFNAME"),
        ("DEL", "CNI_CONTAINERID"),
        ("DEL", "CNI_IFNAME"),
        ("CHECK", "CNI_CONTAINERID"),
        ("CHECK", "CNI_NETNS"),
        ("CHECK", "CNI_IFNAME"),
    ],
)
def test_parameter_that_is_missing_is_named(command: str, left_out: str) -> None:
    code, answer = answered(environment(command, **{left_out: ""}), configured())

    assert (code, answer["code"]) == (1, 4)
    assert left_out in answer["msg"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CNI_COMMAND": ""}, "CNI_COMMAND is not set"),
        ({"CNI_COMMAND": "PING"}, "unknown CNI_COMMAND 'PING'"),
        ({"CNI_CONTAINERID": "-x"}, "invalid CNI_CONTAINERID '-x'"),
        ({"CNI_CONTAINERID": "a/b"}, "invalid CNI_CONTAINERID"),
        ({"CNI_IFNAME": "sixteen-letters-"}, "invalid CNI_IFNAME"),
        ({"CNI_IFNAME": "with/slash"}, "invalid CNI_IFNAME"),
        ({"CNI_IFNAME": ".."}, "invalid CNI_IFNAME"),
        ({"CNI_ARGS": "IP"}, "CNI_ARGS has 'IP', which is no NAME=VALUE"),
        ({"CNI_ARGS": "COLOUR=red;IP=10.0.0.1"}, "unknown CNI_ARGS COLOUR"),
        ({"CNI_NETNS": "/nonexistent"}, "there is no network namespace at /nonexistent"),
        ({"CNI_NETNS": "/proc/self/ns/net"}, "the host's own network namespace"),
    ],
)
def test_environment_that_is_wrong_is_refused(changes: dict[str, str], said: str) -> None:
    code, answer = answered(environment("ADD", **changes), configured())

    assert (code, answer["code"]) == (1, 4)
    assert said in answer["msg"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe"])
def test_configuration_that_cannot_be_read_is_refused(text: bytes) -> None:
    code, answer = answered(environment("ADD"), text)

    assert (code, answer["code"]) == (1, 6)
    assert answer["cniVersion"] == "1.1.0"


@pytest.mark.parametrize(
    ("command", "version", "said"),
    [
        ("ADD", "0.2.0", "CNI version '0.2.0' is not supported"),
        ("ADD", "2.0.0", "CNI version '2.0.0' is not supported"),
        ("ADD", None, "the network configuration names no cniVersion"),
        ("CHECK", "0.3.1", "CHECK came with CNI 0.4.0"),
        ("GC", "1.0.0", "GC came with CNI 1.1.0"),
        ("STATUS", "1.0.0", "STATUS came with CNI 1.1.0"),
    ],
)
def test_version_that_does_not_fit_is_refused(command: str, version: str | None, said: str) -> None:
    code, answer = answered(environment(command), configured(cniVersion=version))

    assert (code, answer["code"], answer["cniVersion"]) == (1, 1, version or "1.1.0")
    assert said in answer["msg"]


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"name": ""}, 7, "invalid network name ''"),
        ({"name": "a b"}, 7, "invalid network name 'a b'"),
        ({"name": 7}, 7, "invalid network name 7"),
        ({"socket": "relative.sock"}, 7, "socket must be an absolute path"),
        ({"socket": 7}, 7, "socket must be a string, not 7"),
        ({"network": []}, 7, "network must be a string"),
        ({"create": "yes"}, 7, "create must be an object"),
        ({"gatewayPriority": "high"}, 7, "gatewayPriority must be a number"),
        ({"runtimeConfig": []}, 7, "runtimeConfig must be an object"),
        ({"runtimeConfig": {"ips": ["10.0.0.1", "10.0.0.2"]}}, 7, "only one address of each family"),
        ({"runtimeConfig": {"portMappings": [7]}}, 7, "portMappings has 7"),
        ({"runtimeConfig": {"portMappings": [{"hostPort": 0, "containerPort": 80}]}}, 7, "invalid port 0"),
        ({"runtimeConfig": {"portMappings": [{"hostPort": 80}]}}, 7, "invalid port None"),
        ({"runtimeConfig": {"aliases": [7]}}, 7, "aliases must be a list of strings"),
        ({"args": {"cni": {"labels": [{"value": "x"}]}}}, 7, "which has no key"),
        ({"runtimeConfig": {"bandwidth": {"ingressRate": 1}}}, 2, "bandwidth is not supported"),
        ({"ipam": {"type": "host-local"}}, 2, "ipam is not supported: {'type': 'host-local'}"),
        ({"prevResult": []}, 7, "prevResult must be an object"),
        ({"prevResult": {"ips": [7]}}, 7, "prevResult.ips must be a list of objects"),
        ({"ipMasq": True}, 2, "ipMasq is not supported: True"),
    ],
)
def test_field_that_is_wrong_is_named(fields: dict[str, Any], code: int, said: str) -> None:
    exit_code, answer = answered(environment("ADD"), configured(**fields))

    assert (exit_code, answer["code"]) == (1, code)
    assert said in answer["msg"]


@pytest.mark.parametrize(("command", "code"), [("STATUS", 50), ("DEL", 11), ("GC", 11)])
def test_daemon_that_is_not_there_is_named(command: str, code: int) -> None:
    fields = configured(**_UNREACHABLE, **{"cni.dev/valid-attachments": []})

    exit_code, answer = answered(environment(command), fields)

    assert (exit_code, answer["code"]) == (1, code)
    assert "Cannot connect to the bridgehead daemon at /nonexistent/bridgehead.sock" in answer["msg"]


@pytest.mark.parametrize(
    "given", [None, {}, "all", [7], [{"containerID": "x"}], [{"containerID": 1, "ifname": "eth0"}]]
)
def test_collecting_needs_to_know_what_is_valid(given: object) -> None:
    """Nothing is removed on the word of a runtime that did not say what it has."""
    from bridgehead.cni.detaching import valid_attachments
    from bridgehead.cni.failures import Failure

    with pytest.raises(Failure) as failed:
        valid_attachments({"cni.dev/valid-attachments": given})

    assert failed.value.code == 7


def test_check_needs_the_result_of_add() -> None:
    code, answer = answered(environment("CHECK"), configured(**_UNREACHABLE))

    assert (code, answer["code"]) == (1, 7)
    assert "prevResult" in answer["msg"]


_TEXT = st.text(alphabet="a0.:/ \0é", max_size=6)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    "cniVersion name network create gatewayPriority args dns runtimeConfig prevResult ipam".split()
)
_CAPABILITIES = st.sampled_from("portMappings ips mac aliases dns bandwidth".split())
_RUNTIME = st.fixed_dictionaries({"runtimeConfig": st.dictionaries(_CAPABILITIES, _ANYTHING, max_size=3)})


@given(
    command=st.sampled_from(["DEL", "CHECK", "GC", "STATUS"]),
    fields=st.dictionaries(_FIELDS, _ANYTHING, max_size=4) | _RUNTIME,
    arguments=st.text(alphabet="IPMAC=;.:019", max_size=20),
)
def test_nothing_a_runtime_says_is_an_accident(command: str, fields: dict[str, Any], arguments: str) -> None:
    """It ends with one of the specification's codes, or fails to reach the daemon."""
    given_fields = configured(**{**_UNREACHABLE, "cni.dev/valid-attachments": [], **fields})

    code, answer = answered(environment(command, CNI_ARGS=arguments), given_fields)

    assert code == 1
    assert answer["code"] in {1, 2, 4, 6, 7, 11, 50}
    assert answer.keys() <= {"cniVersion", "code", "msg", "details"}
