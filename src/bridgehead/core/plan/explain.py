"""Operations in words, for `bridgehead daemon --plan`, logs and error messages."""

from collections.abc import Sequence

from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.diff import Create, Op, Update
from bridgehead.core.plan.filtering import FirewallElement, FirewallRule
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.names import NameRecord, ResolverView
from bridgehead.core.plan.objects import Bridge, KernelObject, LinkAddress, PortHold, Route, Veth
from bridgehead.core.plan.zones import ZoneMember


def explain(op: Op) -> str:
    match op:
        case Create():
            verb = "create"
        case Update():
            verb = "update"
        case _:
            verb = "delete"
    return f"{verb} {describe(op.object)}"


def summary(ops: Sequence[Op], most: int = 8) -> str:
    """The first of many, and how many more."""
    told = "; ".join(explain(op) for op in ops[:most])
    return f"{told}; and {len(ops) - most} more" if len(ops) > most else told


def describe(item: KernelObject) -> str:
    match item:
        case Bridge():
            return f"bridge {item.name} (mtu {item.mtu})"
        case Veth():
            return _veth(item)
        case BorrowedLink():
            return f"{item.name} (a driver's {item.source or 'interface'}){_inside(item.namespace)}"
        case SubLink():
            return f"{item.kind} {item.name}{_inside(item.namespace)} on {item.lower or 'no parent'}"
        case ParentLink():
            return f"{item.kind} {item.name}"
        case LinkAddress():
            return f"address {item.address} on {item.link}{_inside(item.namespace)}"
        case Route():
            via = f" via {item.gateway}" if item.gateway else ""
            return f"route {item.destination}{via} dev {item.link}{_inside(item.namespace)}"
        case _:
            return _describe_others(item)


def _describe_others(item: KernelObject) -> str:
    """All but links and what stands on them."""
    match item:
        case FirewallElement():
            verdict = f" : {item.data}" if item.data else ""
            return f"firewall element {' . '.join(item.match)}{verdict} in {item.set}"
        case FirewallRule():
            program = "ip6tables" if item.family == 6 else "iptables"
            return f"rule {program} -t {item.table} -A {item.chain} {item.text}"
        case ZoneMember():
            return f"{item.bridge} in firewalld's zone"
        case PortHold():
            return f"port {place(item)}{_relayed(item)}"
        case NameRecord():
            return f"names {', '.join(item.names)} on network {item.network_name}"
        case ResolverView():
            return f"resolver listener 127.0.0.11:{item.port} in {item.namespace}"
        case _:
            return " ".join(item.key)


def _veth(pair: Veth) -> str:
    """Half a pair has no other end to name."""
    if not pair.name:
        return f"veth {pair.peer}{_inside(pair.namespace)}, whose outer end is gone"
    if not pair.namespace:
        return f"veth {pair.name}, whose inner end is gone"
    return f"veth {pair.name} on {pair.bridge or 'no bridge'}, {pair.peer} in {pair.namespace}"


def place(hold: PortHold) -> str:
    host = f"[{hold.address}]" if hold.address.version == 6 else hold.address
    return f"{host}:{hold.port}/{hold.protocol}"


def _relayed(hold: PortHold) -> str:
    if hold.relay is None:
        return ""
    address, port = hold.relay
    return f", carried over to {address} port {port}"


def _inside(namespace: str) -> str:
    return f" in {namespace}" if namespace else ""
