"""Links of the old kind as clients see them: in inspect, among names, and as something to remove."""

import pytest

from tests.api.conftest import Api


@pytest.fixture
async def linked(api: Api) -> Api:
    """web knows db as webdb."""
    await api.container("db", "sleep", start=True)
    await api.container("web", "sleep", start=True, HostConfig={"Links": ["db:webdb"]})
    return api


async def test_a_link_is_shown_with_both_its_ends(linked: Api) -> None:
    shown = (await linked.ask("GET", "/containers/web/json")).json

    assert shown["HostConfig"]["Links"] == ["/db:/web/webdb"]


async def test_a_link_is_a_further_name_of_its_source(linked: Api) -> None:
    listed = (await linked.ask("GET", "/containers/json")).json
    found = (await linked.ask("GET", "/containers/web/webdb/json")).json

    assert {("/web",), ("/db", "/web/webdb")} == {tuple(item["Names"]) for item in listed}
    assert found["Name"] == "/db"


async def test_a_link_is_removed_alone(linked: Api) -> None:
    answer = await linked.ask("DELETE", "/containers/web/webdb?link=1")

    assert answer.status == 204
    assert (await linked.ask("GET", "/containers/web/json")).json["HostConfig"]["Links"] is None
    assert (await linked.ask("GET", "/containers/db/json")).status == 200
    assert (await linked.ask("DELETE", "/containers/web/webdb?link=1")).status == 404


async def test_a_link_needs_its_source(linked: Api) -> None:
    answer = await linked.ask(
        "POST", "/containers/create", {"Image": "busybox", "Cmd": ["x"], "HostConfig": {"Links": ["no:x"]}}
    )

    assert answer.status == 400
    assert answer.json == {"message": "could not get container for no: No such container: no"}
