"""What the engine will not do: answers by which clients go on, or know what to do instead."""

import pytest

from tests.api.conftest import Api


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("POST", "/swarm/init", 501, "swarm mode is not supported: each daemon is a host of its own"),
        ("POST", "/swarm/update?version=x", 400, "invalid swarm version 'x': strconv.ParseUint"),
        ("POST", "/swarm/update?version=1", 503, "This node is not a swarm manager."),
        ("POST", "/secrets/x/update", 400, "invalid secret version"),
        ("DELETE", "/nodes/x", 503, "This node is not a swarm manager."),
        ("GET", "/tasks/x/logs", 400, "you must choose at least one stream"),
        ("POST", "/plugins/pull?remote=x", 501, "managed plugins are not supported: start the plugin"),
        ("POST", "/plugins/x/enable", 404, 'plugin "x" not found'),
        ("POST", "/build", 501, "building images is not supported: build elsewhere"),
        ("POST", "/session", 400, "no upgrade proto in request"),
        ("GET", "/containers/x/checkpoints", 501, "This experimental feature is disabled by default"),
    ],
)
async def test_it_says_so(api: Api, method: str, path: str, status: int, words: str) -> None:
    answer = await api.ask(method, path)

    assert (answer.status, words in answer.message) == (status, True), answer.body
