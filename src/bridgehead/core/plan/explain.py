"""Operations in words, for `bridgehead daemon --plan`, logs and error messages."""

from bridgehead.core.plan.diff import Create, Op, Update
from bridgehead.core.plan.objects import (
    Bridge,
    FirewallElement,
    KernelObject,
    LinkAddress,
    NameRecord,
    ResolverView,
    Route,
    Veth,
)


def explain(op: Op) -> str:
    match op:
        case Create():
            verb = "create"
        case Update():
            verb = "update"
        case _:
            verb = "delete"
    return f"{verb} {describe(op.object)}"


def describe(item: KernelObject) -> str:
    match item:
        case Bridge():
            return f"bridge {item.name} (mtu {item.mtu})"
        case Veth():
            return f"veth {item.name} on {item.bridge}, {item.peer} in {item.namespace}"
        case LinkAddress():
            return f"address {item.address} on {item.link}{_inside(item.namespace)}"
        case Route():
            via = f" via {item.gateway}" if item.gateway else ""
            return f"route {item.destination}{via} dev {item.link}{_inside(item.namespace)}"
        case FirewallElement():
            verdict = f" : {item.data}" if item.data else ""
            return f"firewall element {' . '.join(item.match)}{verdict} in {item.set}"
        case NameRecord():
            return f"names {', '.join(item.names)} on network {item.network_name}"
        case ResolverView():
            return f"resolver listener 127.0.0.11:{item.port} in {item.namespace}"
        case _:
            return " ".join(item.key)


def _inside(namespace: str) -> str:
    return f" in {namespace}" if namespace else ""
