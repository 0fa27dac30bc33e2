"""The JSON objects, and the filters of the lists."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Api

NETWORK_KEYS = set(
    "Name Id Created Scope Driver EnableIPv4 EnableIPv6 IPAM Internal Attachable Ingress ConfigFrom "
    "ConfigOnly Containers Options Labels".split()
)
ENDPOINT_KEYS = set(
    "IPAMConfig Links Aliases MacAddress DriverOpts NetworkID EndpointID Gateway IPAddress IPPrefixLen "
    "IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen DNSNames GwPriority".split()
)


async def test_a_network_has_dockers_fields(api: Api) -> None:
    listed = (await api.ask("GET", "/networks")).json
    bridge = (await api.ask("GET", "/networks/bridge")).json
    host = (await api.ask("GET", "/networks/host")).json

    assert {"bridge", "host", "none"} == {network["Name"] for network in listed}
    assert set(bridge) == NETWORK_KEYS
    assert (bridge["IPAM"]) == {
        "Driver": "default",
        "Options": None,
        "Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}],
    }
    assert host["IPAM"]["Config"] == []


async def test_a_running_container_shows_where_it_hangs(api: Api) -> None:
    await api.ask("POST", "/networks/create", {"Name": "own"})
    identifier = await api.container(
        "c",
        "sleep",
        start=True,
        HostConfig={"NetworkMode": "own"},
        ExposedPorts={"80/tcp": {}},
        NetworkingConfig={
            "EndpointsConfig": {"own": {"Aliases": ["svc"], "IPAMConfig": {"IPv4Address": "172.20.0.9"}}}
        },
    )

    shown = (await api.ask("GET", "/containers/c/json")).json
    settings, attached = shown["NetworkSettings"], shown["NetworkSettings"]["Networks"]["own"]

    assert set(attached) == ENDPOINT_KEYS
    assert attached["IPAMConfig"] == {"IPv4Address": "172.20.0.9"}
    assert attached["Aliases"] == ["svc"]
    assert ["c", "svc", identifier[:12]] == attached["DNSNames"]
    assert (attached["IPAddress"], attached["IPPrefixLen"], attached["Gateway"]) == (
        "172.20.0.2",
        16,
        "172.20.0.1",
    )
    assert (settings["IPAddress"], settings["EndpointID"], settings["Ports"]) == ("", "", {"80/tcp": None})
    assert f"/run/bridgehead/netns/{settings['SandboxID'][:12]}" == settings["SandboxKey"]
    assert f"/var/lib/bridgehead/containers/{identifier}/hosts" == shown["HostsPath"]


async def test_a_stopped_container_keeps_its_networks_without_addresses(api: Api) -> None:
    await api.container("c", "both", start=True)
    await api.ask("POST", "/containers/c/wait")

    settings = (await api.ask("GET", "/containers/c/json")).json["NetworkSettings"]

    assert (settings["SandboxID"], settings["SandboxKey"], settings["Ports"]) == ("", "", {})
    assert tuple(
        settings["Networks"]["bridge"][key] for key in ("EndpointID", "IPAddress", "IPPrefixLen")
    ) == ("", "", 0)
    assert settings["Networks"]["bridge"]["NetworkID"]


async def test_a_containers_own_words_are_shown_again_and_completed(api: Api) -> None:
    await api.container(
        "c", "sleep", Labels={"a": "b"}, HostConfig={"ShmSize": 7, "Memory": 1 << 30, "Binds": ["/x:/y:ro"]}
    )

    shown = (await api.ask("GET", "/containers/c/json")).json

    assert tuple(shown["HostConfig"][key] for key in ("ShmSize", "Memory", "Privileged", "NetworkMode")) == (
        7,
        1 << 30,
        False,
        "bridge",
    )
    assert shown["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert tuple(shown["Config"][key] for key in ("Cmd", "Entrypoint", "Labels")) == (
        ["sleep"],
        None,
        {"a": "b"},
    )
    assert [(m["Source"], m["Destination"], m["RW"]) for m in shown["Mounts"]] == [("/x", "/y", False)]
    assert tuple(shown["State"][key] for key in ("Status", "Running", "Pid")) == ("created", False, 0)


async def test_options_without_effect_are_warned_of(api: Api) -> None:
    answer = await api.ask(
        "POST",
        "/containers/create",
        {
            "Image": "busybox",
            "HostConfig": {"OomKillDisable": True, "CgroupParent": "", "Devices": []},
        },
    )

    assert answer.json["Warnings"] == [
        "OomKillDisable is not supported and has no effect",
    ]


async def _filtered(api: Api, path: str, filters: dict[str, Any]) -> list[str]:
    separator = "&" if "?" in path else "?"
    answer = await api.ask("GET", f"{path}{separator}filters={quote(json.dumps(filters))}")
    assert answer.status == 200, answer.body
    return sorted((item.get("Name") or item["Names"][0]) for item in answer.json)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["bridge", "host", "none", "one", "two"]),
        ({"driver": ["null"]}, ["none"]),
        ({"name": ["o"]}, ["host", "none", "one", "two"]),
        ({"name": ["^o"]}, ["one"]),
        ({"name": {"two": True, "bridge": True, "host": False}}, ["bridge", "two"]),
        ({"label": ["a"]}, ["one", "two"]),
        ({"label": ["a", "b=2"]}, ["two"]),
        ({"label": ["a=3"]}, []),
        ({"type": ["custom"]}, ["one", "two"]),
        ({"type": ["builtin"]}, ["bridge", "host", "none"]),
        ({"scope": ["swarm"]}, []),
        ({"dangling": ["true"]}, ["two"]),
        ({"dangling": ["0"]}, ["bridge", "host", "none", "one"]),
    ],
    ids=str,
)
async def test_network_filters(api: Api, filters: dict[str, Any], names: list[str]) -> None:
    await api.ask("POST", "/networks/create", {"Name": "one", "Labels": {"a": "1"}})
    await api.ask("POST", "/networks/create", {"Name": "two", "Labels": {"a": "1", "b": "2"}})
    await api.container("c", "sleep", start=True, HostConfig={"NetworkMode": "one"})

    assert names == await _filtered(api, "/networks", filters)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["/late", "/up"]),
        ({"status": ["exited"]}, ["/down"]),
        ({"exited": ["3"]}, ["/down"]),
        ({"exited": ["4"]}, []),
        ({"name": ["^/?up$"]}, ["/up"]),
        ({"label": ["kind=web"]}, ["/up"]),
        ({"network": ["none"]}, ["/late"]),
        ({"expose": ["80"]}, ["/up"]),
        ({"expose": ["79-81/udp"]}, []),
        ({"publish": ["80"]}, []),
        ({"ancestor": ["busybox"]}, ["/late", "/up"]),
        ({"ancestor": ["other"]}, []),
        ({"volume": ["/inside"]}, ["/up"]),
        ({"since": ["up"]}, ["/late"]),
        ({"before": ["late"]}, ["/up"]),
        ({"health": ["none"]}, ["/late", "/up"]),
    ],
    ids=str,
)
async def test_container_filters(api: Api, filters: dict[str, Any], names: list[str]) -> None:
    await api.container(
        "up",
        "sleep",
        start=True,
        Labels={"kind": "web"},
        ExposedPorts={"80/tcp": {}},
        HostConfig={"Binds": ["/a:/inside"]},
    )
    await api.container("down", "both", "3", start=True)
    await api.container("late", "sleep", start=True, HostConfig={"NetworkMode": "none"})
    await api.ask("POST", "/containers/down/wait")

    assert names == await _filtered(api, "/containers/json", filters)


@pytest.mark.parametrize(
    ("path", "filters", "message"),
    [
        ("/networks", '{"foo":["x"]}', "invalid filter 'foo'"),
        ("/networks", '{"type":["x"]}', "invalid filter: 'type'='x'"),
        ("/networks", '{"dangling":["1","0"]}', 'got more than one value for filter key "dangling"'),
        (
            "/networks",
            '{"dangling":["x"]}',
            'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
        ),
        ("/networks", '{"name":"x"}', "invalid filters: the values of 'name' are not a list of texts"),
        ("/networks", '["x"]', "invalid filters: expected a JSON object"),
        ("/networks", "{", "invalid JSON: unexpected end of the document"),
        ("/containers/json", '{"expose":["80:80"]}', "filter for 'expose' should not contain ':': 80:80"),
        ("/containers/json", '{"since":["nope"]}', "No such container: nope"),
        ("/events", '{"odd":["x"]}', "invalid filter 'odd'"),
    ],
)
async def test_bad_filters_are_refused(api: Api, path: str, filters: str, message: str) -> None:
    answer = await api.ask("GET", f"{path}?filters={quote(filters)}")

    assert message == answer.message
    assert answer.status in (400, 404)


async def test_limit_counts_the_newest_also_stopped_ones(api: Api) -> None:
    for name in ("one", "two", "three"):
        await api.container(name, "sleep")

    answer = await api.ask("GET", "/containers/json?limit=2")

    assert [item["Names"][0] for item in answer.json] == ["/three", "/two"]


async def test_prunes_tell_what_went(api: Api) -> None:
    await api.ask("POST", "/networks/create", {"Name": "kept", "Labels": {"keep": ""}})
    await api.ask("POST", "/networks/create", {"Name": "gone"})
    stopped = await api.container("stopped", "sleep")
    spared = quote('{"label!":["keep"]}')

    networks = await api.ask("POST", f"/networks/prune?filters={spared}")
    young = await api.ask("POST", f"/containers/prune?filters={quote(json.dumps({'until': ['1h']}))}")
    containers = await api.ask("POST", "/containers/prune")
    wrong = await api.ask("POST", f"/networks/prune?filters={quote(json.dumps({'until': ['zz']}))}")

    assert networks.json == {"NetworksDeleted": ["gone"]}
    assert young.json == {"ContainersDeleted": None, "SpaceReclaimed": 0}
    assert {"ContainersDeleted": [stopped], "SpaceReclaimed": 5} == containers.json
    assert (wrong.status, wrong.message) == (400, 'failed to parse value as time or duration: "zz"')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, 'invalid name or ID supplied: ""'),
        (
            {
                "Container": "c",
                "EndpointConfig": {
                    "IPAMConfig": {"IPv4Address": "xx", "IPv6Address": "1.2.3.4", "LinkLocalIPs": ["z"]}
                },
            },
            (
                "invalid endpoint settings:\ninvalid IPv4 address: xx\ninvalid IPv6 address: 1.2.3.4\n"
                "invalid link-local IP address: z"
            ),
        ),
        (
            {"Container": "c", "EndpointConfig": {"MacAddress": "zz"}},
            "invalid endpoint settings:\ninvalid MAC address: zz",
        ),
    ],
)
async def test_bad_endpoint_settings_are_all_told_at_once(
    api: Api, body: dict[str, Any], message: str
) -> None:
    answer = await api.ask("POST", "/networks/bridge/connect", body)

    assert (400, message) == (answer.status, answer.message)


async def test_top_lists_the_containers_own_processes(api: Api) -> None:
    await api.container("c", "sleep", start=True)

    answer = await api.ask("GET", "/containers/c/top")
    wrong = await api.ask("GET", "/containers/c/top?ps_args=-Q%20zz")

    assert answer.json["Titles"] == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert [row[1] for row in answer.json["Processes"]] == ["1"]
    assert wrong.status == 400


async def test_docker_py_reads_what_we_say(api: Api) -> None:
    import asyncio

    import docker

    def drive() -> tuple[bytes, str, int]:
        client = docker.DockerClient(base_url=f"unix://{api.path}", timeout=5)
        try:
            ran = client.containers.run("busybox", ["both"], stdout=True, stderr=False, remove=True)
            network = client.networks.create("py", labels={"x": "y"})
            container = client.containers.run("busybox", ["sleep"], detach=True, name="d", network="py")
            code, (out, err) = container.exec_run(["both", "4"], demux=True)
            assert (out, err) == (b"to stdout\n", b"to stderr\n")
            container.remove(force=True)
            return ran, network.name, code
        finally:
            client.close()

    assert await asyncio.to_thread(drive) == (b"to stdout\n", "py", 4)


async def test_sizes_are_told_when_asked_for(api: Api) -> None:
    await api.container("sized", "sleep")

    listed = (await api.ask("GET", "/containers/json?all=1&size=1")).json[0]
    shown = (await api.ask("GET", "/containers/sized/json?size=1")).json
    unasked = (await api.ask("GET", "/containers/sized/json")).json
    pruned = (await api.ask("POST", "/containers/prune")).json

    assert (listed["SizeRw"], listed["SizeRootFs"]) == (shown["SizeRw"], shown["SizeRootFs"]) == (5, 1239)
    assert "SizeRw" not in unasked
    assert pruned["SpaceReclaimed"] == 5
    assert api.engine.events.kept[-1].attributes == {"reclaimed": "5"}
