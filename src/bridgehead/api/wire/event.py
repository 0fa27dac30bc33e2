"""Events as the stream shows them, and which of them a client wants."""

from collections.abc import Callable, Sequence

from bridgehead.api.wire.filters import Filters, exact, labels_match
from bridgehead.core.model.events import Event

_BILLION = 1_000_000_000
_OBJECTS = (
    "container",
    "image",
    "network",
    "volume",
    "plugin",
    "service",
    "node",
    "secret",
    "config",
    "daemon",
)
FILTERS = ("type", "event", "label", "scope", *_OBJECTS)


def show(event: Event) -> dict[str, object]:
    shown: dict[str, object] = {
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.actor, "Attributes": dict(event.attributes)},
        "scope": "local",
        "time": event.time // _BILLION,
        "timeNano": event.time,
    }
    if event.type in ("container", "image"):
        # Older clients read these copies.
        shown |= {"status": event.action, "id": event.actor}
        if source := event.attributes.get("image"):
            shown["from"] = source
    return shown


def wanted(filters: Filters) -> Callable[[Event], bool]:
    asked = [kind for kind in _OBJECTS if filters.get(kind)]

    def accepts(event: Event) -> bool:
        return (
            exact(filters, "type", event.type)
            and _action(filters, event.action)
            and exact(filters, "scope", "local")
            and labels_match(filters, event.attributes)
            and all(_names(filters, kind, event) for kind in asked)
        )

    return accepts


def _action(filters: Filters, action: str) -> bool:
    """An action may carry details after a colon: "exec_create: sh"."""
    return exact(filters, "event", action) or exact(filters, "event", action.partition(":")[0])


def _names(filters: Filters, kind: str, event: Event) -> bool:
    """A container's events are also those of its image."""
    if kind == "image" and event.type == "container":
        return _is(filters[kind], "", event.attributes.get("image", ""))
    return event.type == kind and _is(filters[kind], event.actor, event.attributes.get("name", ""))


def _is(references: Sequence[str], actor: str, name: str) -> bool:
    names = (name, name.partition(":")[0])
    return any(text in names or (text and actor.startswith(text)) for text in references)
