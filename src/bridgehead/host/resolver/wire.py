"""What the daemon and the resolver say to each other: one JSON object a line, values as lists of fields.

    {"do": "hello", "own": true}   -> {"protocol": 1, "package": "0.1.0", "pid": 4711}
    {"do": "observe"}              -> {"records": [[...], ...], "views": [[...], ...]}
    {"do": "apply", "changes": [["put-record", [...]], ["drop-view", "<sandbox>"], ...]}
                                   -> {"results": [null, "why it failed", ...]}
    {"do": "shutdown"}             -> {}, and the process ends

Anything refused as a whole is answered by {"error": "why"}.
"""

import json
from typing import cast

from bridgehead.core.plan.objects import NameRecord, ResolverView, Upstream

PROTOCOL = 1

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Message = dict[str, Json]


class NotUnderstood(ValueError):
    """The other side speaks another protocol, or none."""


def line(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def message(text: bytes) -> Message:
    """Raises NotUnderstood."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotUnderstood("not an object")
    return cast("Message", found)


def record_fields(record: NameRecord) -> list[Json]:
    return [record.endpoint, record.network, record.network_name, [*record.names], [*record.addresses]]


def view_fields(view: ResolverView) -> list[Json]:
    return [
        view.sandbox,
        view.namespace,
        view.port,
        [*view.networks],
        [[*link] for link in view.links],
        [[upstream.address, upstream.from_sandbox] for upstream in view.upstreams],
        view.ndots_set,
    ]


def record(fields: Json) -> NameRecord:
    """Raises NotUnderstood."""
    endpoint, network, network_name, names, addresses = _exactly(5, fields)
    return NameRecord(text(endpoint), text(network), text(network_name), _texts(names), _texts(addresses))


def view(fields: Json) -> ResolverView:
    """Raises NotUnderstood."""
    sandbox, namespace, port, networks, links, upstreams, ndots_set = _exactly(7, fields)
    return ResolverView(
        sandbox=text(sandbox),
        namespace=text(namespace),
        port=number(port),
        networks=_texts(networks),
        links=tuple(_link(link) for link in items(links)),
        upstreams=tuple(_upstream(upstream) for upstream in items(upstreams)),
        ndots_set=bool(ndots_set),
    )


def items(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise NotUnderstood(f"not a list: {value!r:.80}")
    return value


def text(value: Json) -> str:
    if not isinstance(value, str):
        raise NotUnderstood(f"not a text: {value!r:.80}")
    return value


def number(value: Json) -> int:
    if not isinstance(value, int):
        raise NotUnderstood(f"not a number: {value!r:.80}")
    return value


def _exactly(count: int, value: Json) -> list[Json]:
    found = items(value)
    if len(found) != count:
        raise NotUnderstood(f"{len(found)} fields in place of {count}")
    return found


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(text(item) for item in items(value))


def _link(value: Json) -> tuple[str, str, str]:
    network, alias, target = _exactly(3, value)
    return text(network), text(alias), text(target)


def _upstream(value: Json) -> Upstream:
    address, from_sandbox = _exactly(2, value)
    return Upstream(text(address), bool(from_sandbox))
