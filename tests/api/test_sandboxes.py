"""Sandboxes that are no containers, as clients of the API see them."""

from typing import Any

import pytest

from tests.api.conftest import Api

NETNS = "/run/netns/blue"


async def add(api: Api, name: str = "blue", **body: Any) -> Any:
    return await api.ask("POST", f"/v1.48/sandboxes/create?name={name}", {"Netns": NETNS, **body})


async def test_one_is_made_shown_listed_and_removed(api: Api) -> None:
    made = await add(api, Labels={"tier": "back"})

    assert (made.status, made.json["Name"], made.json["Warnings"]) == (201, "blue", [])
    shown = (await api.ask("GET", "/sandboxes/blue")).json
    assert shown["Id"] == made.json["Id"]
    assert (shown["Netns"], shown["Pid"], shown["Labels"]) == (NETNS, 0, {"tier": "back"})
    assert shown["NetworkSettings"]["Networks"] == {}
    assert shown["ResolvConfPath"].endswith(f"/{shown['Id']}/resolv.conf")
    assert (await api.ask("GET", "/sandboxes")).json == [shown]
    assert (await api.ask("DELETE", "/sandboxes/blue")).status == 204
    assert (await api.ask("GET", "/sandboxes")).json == []


async def test_a_process_is_shown_with_its_namespace(api: Api) -> None:
    await api.ask("POST", "/sandboxes/create?name=job", {"Pid": 123})

    shown = (await api.ask("GET", "/sandboxes/job")).json

    assert (shown["Pid"], shown["Netns"]) == (123, "/proc/123/ns/net")


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ('{"name":["bl"]}', ["blue"]),
        ('{"label":["tier=back"]}', ["blue"]),
        ('{"label":["tier=front"]}', []),
        ("", ["blue"]),
    ],
)
async def test_filters_choose_and_containers_are_never_listed(
    api: Api, filters: str, names: list[str]
) -> None:
    await api.container("black", "sleep", start=True)
    await add(api, Labels={"tier": "back"})

    listed = (await api.ask("GET", f"/sandboxes?filters={filters}")).json

    assert [item["Name"] for item in listed] == names


async def test_an_unknown_filter_is_refused(api: Api) -> None:
    assert (await api.ask("GET", '/sandboxes?filters={"status":["running"]}')).status == 400


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_container_is_no_sandbox(api: Api, method: str) -> None:
    await api.container("box", "sleep", start=True)

    answer = await api.ask(method, "/sandboxes/box")

    assert (answer.status, answer.json) == (404, {"message": "No such sandbox: box"})


async def test_it_is_a_container_in_lists_and_inspect(api: Api) -> None:
    await add(api)

    listed = (await api.ask("GET", "/containers/json")).json
    shown = (await api.ask("GET", "/containers/blue/json")).json

    assert [(item["Image"], item["Command"], item["State"]) for item in listed] == [
        ("(namespace)", NETNS, "running")
    ]
    assert (shown["Name"], shown["Config"]["Image"], shown["State"]["Running"]) == (
        "/blue",
        "(namespace)",
        True,
    )


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        ({}, "none"),
        ({"HostConfig": {"NetworkMode": "lan"}}, "lan"),
        ({"NetworkingConfig": {"EndpointsConfig": {"lan": {}}}}, "lan"),
    ],
)
async def test_the_network_it_starts_in_is_what_was_named(api: Api, body: dict[str, Any], mode: str) -> None:
    await add(api, **body)

    shown = (await api.ask("GET", "/containers/blue/json")).json

    assert shown["HostConfig"]["NetworkMode"] == mode


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"Netns": 5}, "Netns"),
        ({"Pid": "x"}, "Pid"),
        ({"HostConfig": {"Links": ["a"]}}, "links need a network"),
        ({"HostConfig": {"PortBindings": {"x/tcp": []}}}, "x"),
        ({"NetworkingConfig": {"EndpointsConfig": {"lan": {"MacAddress": "zz"}}}}, "zz"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(api: Api, body: dict[str, Any], sentence: str) -> None:
    answer = await add(api, **body)

    assert (answer.status, sentence in answer.json["message"]) == (400, True), answer.json


async def test_what_has_no_effect_is_told(api: Api) -> None:
    made = await add(api, Env=["A=b"], HostConfig={"Memory": 1 << 30, "NetworkMode": "lan", "Binds": []})

    assert made.json["Warnings"] == [
        "Env has no effect on a sandbox that is no container",
        "Memory has no effect on a sandbox that is no container",
    ]
