"""Which containers a list's filters mean."""

from collections.abc import Callable, Collection

from bridgehead.api.wire import filters
from bridgehead.api.wire.filters import Filters
from bridgehead.core import exposed
from bridgehead.core.images import reference
from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.snapshot import Snapshot

FILTERS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
_STATUSES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
_HEALTHS = ("starting", "healthy", "unhealthy", "none")

Test = Callable[[Container], bool]


def wanted(asked: Filters, snapshot: Snapshot) -> Test:
    """One test for all filters.

    Raises:
        InvalidParameter, NotFound: a value is no status, number or port, or names nothing.
    """
    tests = [make(asked, snapshot) for name, make in _TESTS.items() if asked.get(name)]
    return lambda container: all(test(container) for test in tests)


def _name(asked: Filters, _: Snapshot) -> Test:
    matches = filters.partial(asked, "name")
    return lambda container: matches(container.name) or matches(f"/{container.name}")


def _status(asked: Filters, _: Snapshot) -> Test:
    _check(asked, "status", _STATUSES)
    return lambda container: filters.exact(asked, "status", container.state.status)


def _health(asked: Filters, _: Snapshot) -> Test:
    _check(asked, "health", _HEALTHS)
    return lambda container: (
        (container.state.health.status if container.state.health else "none") in asked["health"]
    )


def _exited(asked: Filters, _: Snapshot) -> Test:
    codes = {_number(text) for text in asked["exited"]}
    return lambda container: container.state.status is Status.EXITED and container.state.exit_code in codes


def _network(asked: Filters, snapshot: Snapshot) -> Test:
    names = {
        network.name
        for network in snapshot.networks.values()
        for text in asked["network"]
        if text and (network.name == text or network.id.startswith(text))
    }

    def test(container: Container) -> bool:
        joined = (*container.networks, container.spec.network_mode)
        return any(name in names for name in joined)

    return test


def _ancestor(asked: Filters, snapshot: Snapshot) -> Test:
    meant = {
        image.id
        for image in snapshot.images.values()
        for text in asked["ancestor"]
        if _full_name(text) in image.tags
        or image.id.removeprefix("sha256:").startswith(text.removeprefix("sha256:"))
    }
    return lambda container: container.image in meant or container.image_reference in asked["ancestor"]


def _full_name(text: str) -> str:
    try:
        return reference.normalise(text)
    except InvalidParameter:
        return text


def _expose(asked: Filters, _: Snapshot) -> Test:
    meant = _ports(asked, "expose")
    return lambda container: (
        not meant.isdisjoint(port for text in container.spec.exposed_ports for port in exposed.ports(text))
    )


def _publish(asked: Filters, snapshot: Snapshot) -> Test:
    meant = _ports(asked, "publish")
    publishing = {
        sandbox.container
        for sandbox in snapshot.sandboxes.values()
        if any((port.host_port, port.protocol) in meant for port in sandbox.ports)
    }
    return lambda container: container.id in publishing


def _ports(asked: Filters, key: str) -> set[tuple[int, str]]:
    for text in asked[key]:
        if ":" in text:
            raise InvalidParameter(f"filter for '{key}' should not contain ':': {text}")
    return {port for text in asked[key] for port in exposed.ports(text)}


def _volume(asked: Filters, _: Snapshot) -> Test:
    def test(container: Container) -> bool:
        binds = ((bind.source, bind.target) for bind in container.spec.binds)
        named = ((mount.volume, mount.target) for mount in container.spec.volumes)
        return any(word in asked["volume"] for pair in (*binds, *named) for word in pair)

    return test


def _before(asked: Filters, snapshot: Snapshot) -> Test:
    bound = min(snapshot.find_container(text).created for text in asked["before"])
    return lambda container: container.created < bound


def _since(asked: Filters, snapshot: Snapshot) -> Test:
    bound = max(snapshot.find_container(text).created for text in asked["since"])
    return lambda container: container.created > bound


_TESTS: dict[str, Callable[[Filters, Snapshot], Test]] = {
    "id": lambda asked, _: lambda container: filters.prefixed(asked, "id", container.id),
    "label": lambda asked, _: lambda container: filters.labels_match(asked, container.spec.labels),
    "is-task": lambda asked, _: lambda _container: filters.boolean(asked, "is-task") is False,
    "name": _name,
    "status": _status,
    "health": _health,
    "exited": _exited,
    "network": _network,
    "ancestor": _ancestor,
    "expose": _expose,
    "publish": _publish,
    "volume": _volume,
    "before": _before,
    "since": _since,
}


def _check(asked: Filters, key: str, known: Collection[str]) -> None:
    for text in asked[key]:
        if text not in known:
            raise InvalidParameter(f"invalid filter '{key}={text}'")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidParameter(f"invalid filter 'exited={text}'") from None
