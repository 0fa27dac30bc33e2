"""What a client must not do is refused with the right status and a helpful sentence, and changes nothing."""

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client.observed import observed
from tests.support.daemon import Daemon

pytestmark = pytest.mark.host

CREATE = "/networks/create"
RUNNING = "/containers/create?name=made"


def _ipam(**config: Any) -> dict[str, Any]:
    return {"Name": "bad", "IPAM": {"Config": [config]}}


def _connect(container: str = "holder", **ipam: str) -> dict[str, Any]:
    return {"Container": container, "EndpointConfig": {"IPAMConfig": ipam}}


def _container(**config: Any) -> dict[str, Any]:
    return {"Image": "busybox", "Cmd": ["true"], **config}


def _host(**config: Any) -> dict[str, Any]:
    return _container(HostConfig=config)


MODE = "container:holder"
SHARED = {"HostConfig": {"NetworkMode": MODE}}


def _shared(**config: Any) -> dict[str, Any]:
    return _host(NetworkMode=MODE, **config)


def _joining(endpoints: dict[str, Any]) -> dict[str, Any]:
    return _container(**SHARED, NetworkingConfig={"EndpointsConfig": endpoints})


# path, body, status, what the sentence must have
REFUSED_POSTS: dict[str, tuple[str, Any, int, str]] = {
    "network without a name": (CREATE, {"Name": ""}, 400, "name is empty"),
    "network named as a predefined one": (CREATE, {"Name": "bridge"}, 403, "predefined bridge network"),
    "network name taken": (CREATE, {"Name": "lan"}, 409, "network with name lan already exists"),
    "subnet is no subnet": (CREATE, _ipam(Subnet="nonsense"), 400, "nonsense"),
    "subnet with host bits": (CREATE, _ipam(Subnet="10.8.0.7/24"), 400, "10.8.0.0/24"),
    "subnet overlaps a network": (CREATE, _ipam(Subnet="10.77.0.0/16"), 403, "network lan"),
    "subnet inside a network": (CREATE, _ipam(Subnet="10.77.0.64/26"), 403, "network lan"),
    "subnet overlaps docker0": (CREATE, _ipam(Subnet="172.16.0.0/12"), 403, "network bridge"),
    "gateway outside": (CREATE, _ipam(Subnet="10.8.0.0/24", Gateway="10.9.0.1"), 400, "10.9.0.1"),
    "gateway is no address": (CREATE, _ipam(Subnet="10.8.0.0/24", Gateway="ten"), 400, "ten"),
    "range outside": (CREATE, _ipam(Subnet="10.8.0.0/24", IPRange="10.9.0.0/25"), 400, "10.9.0.0/25"),
    "range wider than its subnet": (
        CREATE,
        _ipam(Subnet="10.8.0.0/24", IPRange="10.8.0.0/16"),
        400,
        "10.8.0.0/16",
    ),
    "auxiliary address outside": (
        CREATE,
        _ipam(Subnet="10.8.0.0/24", AuxiliaryAddresses={"router": "10.9.0.9"}),
        400,
        "router",
    ),
    "two subnets of one family": (
        CREATE,
        {"Name": "bad", "IPAM": {"Config": [{"Subnet": "10.8.0.0/24"}, {"Subnet": "10.9.0.0/24"}]}},
        403,
        "multiple subnets",
    ),
    "mtu is no number": (
        CREATE,
        {"Name": "bad", "Options": {"com.docker.network.driver.mtu": "wide"}},
        400,
        "wide",
    ),
    "mtu negative": (CREATE, {"Name": "bad", "Options": {"com.docker.network.driver.mtu": "-1"}}, 400, "-1"),
    "icc is no truth": (
        CREATE,
        {"Name": "bad", "Options": {"com.docker.network.bridge.enable_icc": "maybe"}},
        400,
        "maybe",
    ),
    "bridge name taken": (
        CREATE,
        {"Name": "bad", "Options": {"com.docker.network.bridge.name": "docker0"}},
        403,
        "docker0",
    ),
    "bridge name too long for the kernel": (
        CREATE,
        {"Name": "bad", "Options": {"com.docker.network.bridge.name": "b" * 16}},
        400,
        "b" * 16,
    ),
    "unknown driver": (CREATE, {"Name": "bad", "Driver": "nosuch"}, 404, "nosuch"),
    "unknown address driver": (CREATE, {"Name": "bad", "IPAM": {"Driver": "nosuch"}}, 404, "nosuch"),
    "swarm driver": (CREATE, {"Name": "bad", "Driver": "overlay"}, 403, "not a swarm manager"),
    "second host network": (CREATE, {"Name": "bad", "Driver": "host"}, 403, "only one instance"),
    "wrong type in the body": (CREATE, {"Name": 7}, 400, "Name"),
    "body is a list": (CREATE, [], 400, ""),
    "options are not texts": (CREATE, {"Name": "bad", "Options": {"a": 1}}, 400, ""),
    "connect: nobody": ("/networks/lan/connect", _connect("nobody"), 404, "nobody"),
    "connect: no container": ("/networks/lan/connect", {"Container": ""}, 400, ""),
    "connect: nowhere": ("/networks/nowhere/connect", _connect(), 404, "nowhere"),
    "connect: there already": ("/networks/lan/connect", _connect(), 403, "holder"),
    "connect: address taken": (
        "/networks/lan/connect",
        _connect("other", IPv4Address="10.77.0.9"),
        403,
        "holder",
    ),
    "connect: gateway's address": (
        "/networks/lan/connect",
        _connect("other", IPv4Address="10.77.0.1"),
        403,
        "gateway of network lan",
    ),
    "connect: address outside": (
        "/networks/lan/connect",
        _connect("other", IPv4Address="10.78.0.9"),
        400,
        "10.78.0.9",
    ),
    "connect: no address": ("/networks/lan/connect", _connect("other", IPv4Address="ten"), 400, "ten"),
    "connect: to host": ("/networks/host/connect", _connect(), 400, "host network"),
    "connect: to none": ("/networks/none/connect", _connect(), 400, "none"),
    "disconnect: nobody": ("/networks/lan/disconnect", {"Container": "nobody"}, 404, "nobody"),
    "disconnect: nowhere": ("/networks/nowhere/disconnect", {"Container": "holder"}, 404, "nowhere"),
    "disconnect: not there": (
        "/networks/lan/disconnect",
        {"Container": "other"},
        403,
        "not connected to network lan",
    ),
    "container name taken": ("/containers/create?name=holder", _container(), 409, "/holder"),
    "container name too short": ("/containers/create?name=x", _container(), 400, "[a-zA-Z0-9]"),
    "container name with a slash": ("/containers/create?name=a%2Fb", _container(), 400, "a/b"),
    "unknown image": (RUNNING, _container(Image="nosuch"), 404, "No such image: nosuch"),
    "no command": (RUNNING, _container(Image="empty", Cmd=None), 400, "command"),
    "nobody's network": (RUNNING, _host(NetworkMode="container:no"), 400, "No such container: no"),
    "no network of whom": (RUNNING, _host(NetworkMode="container:"), 400, "container:<name|id>"),
    "shared: hostname": (RUNNING, _container(Hostname="own", **SHARED), 400, "hostname and the network"),
    "shared: exposed port": (RUNNING, _container(ExposedPorts={"80/tcp": {}}, **SHARED), 400, "exposing"),
    "shared: published port": (RUNNING, _shared(PortBindings={"80/tcp": [{}]}), 400, "port publishing"),
    "shared: every port": (RUNNING, _shared(PublishAllPorts=True), 400, "port publishing"),
    "shared: name server": (RUNNING, _shared(Dns=["9.9.9.9"]), 400, "dns and the network mode"),
    "shared: extra host": (RUNNING, _shared(ExtraHosts=["db:10.0.0.7"]), 400, "custom host-to-IP mapping"),
    "shared: link": (RUNNING, _shared(Links=["other:db"]), 400, "can't be used with links"),
    "shared: hardware address": (
        RUNNING,
        _container(MacAddress="02:42:ac:11:00:99", **SHARED),
        400,
        "mac-address and the network mode",
    ),
    "shared: a network besides": (RUNNING, _joining({"lan": {}}), 400, "connected to any other network"),
    "shared: alias": (RUNNING, _joining({MODE: {"Aliases": ["db"]}}), 400, "aliases"),
    "shared: address": (
        RUNNING,
        _joining({MODE: {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}),
        400,
        "user defined networks only",
    ),
    "shared: connect": ("/networks/lan/connect", _connect("joiner"), 400, "sharing network namespace"),
    "shared: disconnect": (
        "/networks/lan/disconnect",
        {"Container": "joiner"},
        403,
        "not connected to network lan",
    ),
    "host: hardware address": (
        RUNNING,
        _container(MacAddress="02:42:ac:11:00:99", HostConfig={"NetworkMode": "host"}),
        400,
        "mac-address and the network mode",
    ),
    "memory below the minimum": (RUNNING, _host(Memory=1024), 400, "6MB"),
    "unknown restart policy": (RUNNING, _host(RestartPolicy={"Name": "sometimes"}), 400, "sometimes"),
    "restart and remove": (
        RUNNING,
        _host(RestartPolicy={"Name": "always"}, AutoRemove=True),
        400,
        "AutoRemove",
    ),
    "bind to a relative path": (RUNNING, _host(Binds=["/tmp:here"]), 400, "here"),
    "unknown capability": (RUNNING, _host(CapAdd=["FLY"]), 400, "FLY"),
    "bad extra host": (RUNNING, _host(ExtraHosts=["db:nowhere"]), 400, "nowhere"),
    "bad name server": (RUNNING, _host(Dns=["nine"]), 400, "nine"),
    "bad hardware address": (RUNNING, _container(MacAddress="zz"), 400, "zz"),
    "static address on the default bridge": (
        RUNNING,
        _container(
            NetworkingConfig={"EndpointsConfig": {"bridge": {"IPAMConfig": {"IPv4Address": "172.17.0.9"}}}}
        ),
        400,
        "user defined networks only",
    ),
    "start: nobody": ("/containers/nobody/start", None, 404, "nobody"),
    "exec in nobody": ("/containers/nobody/exec", {"Cmd": ["true"]}, 404, "nobody"),
    "exec of nothing": ("/containers/holder/exec", {"Cmd": []}, 400, "exec"),
    "kill with no signal": ("/containers/holder/kill?signal=NONSENSE", None, 400, "NONSENSE"),
    "rename to a taken name": ("/containers/holder/rename?name=other", None, 409, "/other"),
}

REFUSED_DELETES: dict[str, tuple[str, int, str]] = {
    "predefined network": ("/networks/bridge", 403, "pre-defined"),
    "network in use": ("/networks/lan", 403, "holder"),
    "unknown network": ("/networks/nowhere", 404, "nowhere"),
    "running container": ("/containers/holder", 409, "running"),
    "unknown container": ("/containers/nobody", 404, "nobody"),
    "unknown image": ("/images/nosuch", 404, "nosuch"),
    "image in use": ("/images/busybox", 409, "busybox"),
}

RAW_BODIES: dict[str, tuple[bytes, str]] = {
    "cut off": (b'{"Name": "bad"', "application/json"),
    "two objects": (b'{"Name": "bad"}{"Name": "worse"}', "application/json"),
    "not JSON": (b"Name=bad", "application/json"),
    "not said to be JSON": (b'{"Name": "bad"}', "text/plain"),
    "not UTF-8": (b'{"Name": "\xff\xfe"}', "application/json"),
    "nested without end": (b"[" * 100_000, "application/json"),
}


@pytest.fixture(scope="module")
def furnished(daemon: Daemon) -> Iterator[Daemon]:
    """A network `lan` with a running `holder` at 10.77.0.9, a network `auto`, one more container, and
    a `joiner` in holder's network.
    """
    docker = daemon.docker
    docker.ok("import", "-", "empty", stdin=bytes(10240))
    docker.ok("network", "create", "--subnet", "10.77.0.0/24", "lan")
    docker.ok("network", "create", "auto")
    docker.ok(
        "run", "-d", "--name", "holder", "--net", "lan", "--ip", "10.77.0.9", "busybox", "sleep", "1000"
    )
    docker.ok("run", "-d", "--name", "other", "busybox", "sleep", "1000")
    docker.ok("run", "-d", "--name", "joiner", "--net", MODE, "busybox", "sleep", "1000")
    yield daemon
    docker.ok("rm", "-f", "joiner", "holder", "other")
    docker.ok("network", "rm", "lan", "auto")
    docker.ok("rmi", "empty")


@pytest.fixture(autouse=True)
def _nothing_made(furnished: Daemon) -> Iterator[None]:
    """A container that should have been refused must not make the next case fail too."""
    yield
    furnished.docker("rm", "-f", "made")


@pytest.mark.parametrize("case", REFUSED_POSTS)
def test_bad_request_is_refused_and_changes_nothing(furnished: Daemon, case: str) -> None:
    path, body, status, sentence = REFUSED_POSTS[case]
    before = observed(furnished)

    answered, answer = furnished.call("POST", path, body)

    assert (status, True) == (answered, sentence in answer["message"]), answer
    assert before == observed(furnished)


@pytest.mark.parametrize("case", REFUSED_DELETES)
def test_bad_deletion_is_refused_and_changes_nothing(furnished: Daemon, case: str) -> None:
    path, status, sentence = REFUSED_DELETES[case]
    before = observed(furnished)

    answered, answer = furnished.call("DELETE", path)

    assert (status, True) == (answered, sentence in answer["message"]), answer
    assert before == observed(furnished)


@pytest.mark.parametrize("case", RAW_BODIES)
def test_malformed_body_is_refused_and_changes_nothing(furnished: Daemon, case: str) -> None:
    body, content_type = RAW_BODIES[case]
    before = observed(furnished)
    connection = furnished.connection()

    connection.request("POST", CREATE, body, {"Content-Type": content_type})
    response: http.client.HTTPResponse = connection.getresponse()
    text = response.read()
    connection.close()

    assert response.status == 400, text
    assert b"message" in text
    assert before == observed(furnished)


def test_enormous_body_is_refused(furnished: Daemon) -> None:
    body = {"Name": "bad", "Labels": {"x": "y" * (32 << 20)}}

    try:
        status, _ = furnished.call("POST", CREATE, body)
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it did not even listen to the end

    assert status in {400, 413}
    assert furnished.call("GET", "/networks/bad")[0] == 404
