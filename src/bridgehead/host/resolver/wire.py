"""Names and views as lists of fields, in the talk between the daemon and the resolver.

observe -> {"records": [[...], ...], "views": [[...], ...]}
changes:   ["put-record", [...]], ["drop-record", "<endpoint>"]
           ["put-view", [...]], ["drop-view", "<sandbox>"]
"""

from bridgehead.core.plan.names import NameRecord, ResolverView, Upstream
from bridgehead.host.companion.wire import Json, exactly, items, number, text, texts

PROTOCOL = 1


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
    endpoint, network, network_name, names, addresses = exactly(5, fields)
    return NameRecord(text(endpoint), text(network), text(network_name), texts(names), texts(addresses))


def view(fields: Json) -> ResolverView:
    """Raises NotUnderstood."""
    sandbox, namespace, port, networks, links, upstreams, ndots_set = exactly(7, fields)
    return ResolverView(
        sandbox=text(sandbox),
        namespace=text(namespace),
        port=number(port),
        networks=texts(networks),
        links=tuple(_link(link) for link in items(links)),
        upstreams=tuple(_upstream(upstream) for upstream in items(upstreams)),
        ndots_set=bool(ndots_set),
    )


def _link(value: Json) -> tuple[str, str, str]:
    network, alias, target = exactly(3, value)
    return text(network), text(alias), text(target)


def _upstream(value: Json) -> Upstream:
    address, from_sandbox = exactly(2, value)
    return Upstream(text(address), bool(from_sandbox))
