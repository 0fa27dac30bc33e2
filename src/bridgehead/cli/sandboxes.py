"""`bridgehead sandbox …`: namespaces of others, which join networks as containers do."""

import sys
from pathlib import Path
from typing import Literal, Unpack

import click

from bridgehead.cli.client import NOT_FOUND, Body, Client, CommandFailed, Refused, filters, pairs
from bridgehead.cli.endpoints import EndpointWishes, endpoints, network_mode
from bridgehead.cli.format import natural, short
from bridgehead.cli.listing import Listing, format_option, label_fields, no_trunc_option, template_option
from bridgehead.cli.ports import exposed, port_bindings
from bridgehead.cli.replies import Created, SandboxReply
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb, each


class SandboxWishes(EndpointWishes):
    """The options of `add`, by their names on the command line."""

    netns: str
    pid: int | None
    label: tuple[str, ...]
    publish: tuple[str, ...]
    publish_all: bool
    expose: tuple[str, ...]
    dns: tuple[str, ...]
    dns_search: tuple[str, ...]
    dns_option: tuple[str, ...]
    add_host: tuple[str, ...]


@click.command(cls=Verb)
@click.option("--add-host", multiple=True, help="Add a custom host-to-IP mapping (host:ip)")
@click.option("--dns", multiple=True, help="Set custom DNS servers")
@click.option("--dns-option", "--dns-opt", "dns_option", multiple=True, help="Set DNS options")
@click.option("--dns-search", multiple=True, help="Set custom DNS search domains")
@click.option("--expose", multiple=True, help="Expose a port or a range of ports")
@click.option("--ip", default="", help="IPv4 address")
@click.option("--ip6", default="", help="IPv6 address")
@click.option("-l", "--label", multiple=True, metavar="KEY[=VALUE]", help="Set metadata on the sandbox")
@click.option("--link", multiple=True, help="Add link to a container or another sandbox")
@click.option("--link-local-ip", multiple=True, help="Link-local addresses")
@click.option("--mac-address", default="", help="MAC address")
@click.option("--netns", default="", metavar="PATH", help="The network namespace, e.g. /run/netns/NAME")
@click.option("--network", "--net", "network", multiple=True, help="Connect the sandbox to a network")
@click.option("--network-alias", "--net-alias", "network_alias", multiple=True, help="Network-scoped alias")
@click.option("--pid", type=int, metavar="PID", help="A process; its network namespace is meant")
@click.option("-p", "--publish", multiple=True, help="Publish port(s) to the host")
@click.option("-P", "--publish-all", is_flag=True, help="Publish all exposed ports to random ports")
@click.argument("name")
@click.pass_obj
def add(client: Client, *, name: str, **wishes: Unpack[SandboxWishes]) -> None:
    """Make a sandbox of a network namespace, which then joins networks under NAME as a container does"""
    if bool(wishes["netns"]) == (wishes["pid"] is not None):
        raise CommandFailed("say which network namespace: --netns PATH or --pid PID", 125)
    if not wishes["network"] and any(wishes[name] for name in _OF_A_NETWORK):
        raise CommandFailed(
            "addresses, MAC addresses and aliases belong to a network: name it with --network", 125
        )
    reply: Created = client.post("/sandboxes/create", _body(wishes), {"name": name})
    for warning in reply.get("Warnings") or []:
        print(f"WARNING: {warning}", file=sys.stderr)
    print(reply["Id"])


_OF_A_NETWORK: tuple[Literal["ip", "ip6", "link_local_ip", "mac_address", "network_alias"], ...] = (
    "ip",
    "ip6",
    "link_local_ip",
    "mac_address",
    "network_alias",
)


def _body(wishes: SandboxWishes) -> Body:
    where = (
        {"Pid": wishes["pid"]} if wishes["netns"] == "" else {"Netns": str(Path(wishes["netns"]).absolute())}
    )
    return {
        **where,
        "Labels": pairs(wishes["label"]),
        "ExposedPorts": exposed(wishes["expose"], wishes["publish"]),
        "HostConfig": {
            "NetworkMode": network_mode(wishes) if wishes["network"] else "",
            "PortBindings": port_bindings(wishes["publish"]),
            "PublishAllPorts": wishes["publish_all"],
            "Links": list(wishes["link"]),
            "Dns": list(wishes["dns"]),
            "DnsSearch": list(wishes["dns_search"]),
            "DnsOptions": list(wishes["dns_option"]),
            "ExtraHosts": list(wishes["add_host"]),
        },
        "NetworkingConfig": {"EndpointsConfig": endpoints(wishes) if wishes["network"] else {}},
    }


LISTING = Listing(
    {
        "ID": "SANDBOX ID",
        "Name": "NAME",
        "Netns": "NAMESPACE",
        "Addresses": "NETWORKS",
        "Networks": "NETWORKS",
        "Pid": "PID",
        "Labels": "LABELS",
        "CreatedAt": "CREATED AT",
    },
    ("ID", "Name", "Netns", "Addresses"),
)


@click.command(cls=Verb)
@click.option(
    "-f", "--filter", "wanted", type=FILTER, multiple=True, metavar="filter", help="Filter, e.g. network=lan"
)
@format_option
@no_trunc_option
@click.option("-q", "--quiet", is_flag=True, help="Only display sandbox ids")
@click.pass_obj
def ls(client: Client, *, wanted: tuple[str, ...], layout: str | None, no_trunc: bool, quiet: bool) -> None:
    """List sandboxes that are no containers"""
    found: list[SandboxReply] = client.get("/sandboxes", {"filters": filters(wanted)})
    ordered = sorted(found, key=lambda sandbox: natural(sandbox["Name"]))
    LISTING.show([_row(sandbox, no_trunc=no_trunc) for sandbox in ordered], layout, quiet=quiet)


def _row(sandbox: SandboxReply, *, no_trunc: bool) -> Row:
    attached = sandbox["NetworkSettings"]["Networks"]
    addresses = [
        " ".join(filter(None, (network, said["IPAddress"], said["GlobalIPv6Address"])))
        for network, said in sorted(attached.items())
    ]
    return Row(
        Addresses=", ".join(addresses),
        CreatedAt=sandbox["Created"],
        ID=sandbox["Id"] if no_trunc else short(sandbox["Id"]),
        Name=sandbox["Name"],
        Netns=sandbox["Netns"],
        Networks=",".join(sorted(attached)),
        Pid=str(sandbox["Pid"]),
        **label_fields(sandbox["Labels"]),
    )


@click.command(cls=Verb)
@template_option
@click.argument("names", metavar="SANDBOX...", nargs=-1, required=True)
@click.pass_obj
def inspect(client: Client, *, names: tuple[str, ...], layout: str | None) -> int:
    """Display detailed information on one or more sandboxes"""
    from bridgehead.cli.inspection import show

    return show(names, lambda name: client.get(f"/sandboxes/{name}"), layout)


@click.command(cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Do not error if the sandbox does not exist")
@click.argument("names", metavar="SANDBOX...", nargs=-1, required=True)
@click.pass_obj
def rm(client: Client, *, names: tuple[str, ...], force: bool) -> int:
    """Let go of one or more namespaces; they stay, without the interfaces they got from here"""

    def remove(name: str) -> str | None:
        try:
            client.delete(f"/sandboxes/{name}")
        except Refused as error:
            if force and error.status == NOT_FOUND:
                return None
            raise
        return name

    return each(names, remove)
