"""`bridgehead network …`"""

import sys
from typing import TypedDict, Unpack

import click

from bridgehead.cli.client import NOT_FOUND, Body, Client, Refused, filters, pairs
from bridgehead.cli.format import natural, short
from bridgehead.cli.listing import Listing, format_option, label_fields, no_trunc_option, template_option
from bridgehead.cli.replies import Created, NetworkReply
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb, each


class NetworkWishes(TypedDict):
    """The options of `create`, by their names on the command line."""

    driver: str
    scope: str
    attachable: bool
    internal: bool
    config_from: str
    config_only: bool
    ipv4: bool | None
    ipv6: bool | None
    label: tuple[str, ...]
    opt: tuple[str, ...]
    ipam_driver: str
    ipam_opt: tuple[str, ...]
    subnet: tuple[str, ...]
    ip_range: tuple[str, ...]
    gateway: tuple[str, ...]
    aux_address: tuple[str, ...]


@click.command(cls=Verb)
@click.option("--attachable", is_flag=True, help="Enable manual container attachment")
@click.option("--aux-address", multiple=True, metavar="NAME=ADDRESS", help="Addresses never handed out")
@click.option("--config-from", default="", help="The network from which to copy the configuration")
@click.option("--config-only", is_flag=True, help="Create a configuration only network")
@click.option("-d", "--driver", default="bridge", help='Driver to manage the network (default "bridge")')
@click.option("--gateway", multiple=True, help="Gateway of a subnet")
@click.option("--internal", is_flag=True, help="Restrict external access to the network")
@click.option("--ip-range", multiple=True, help="Allocate container addresses from a sub-range")
@click.option("--ipam-driver", default="default", help="IP address management driver")
@click.option("--ipam-opt", multiple=True, metavar="KEY=VALUE", help="IPAM driver specific options")
@click.option("--ipv4/--no-ipv4", default=None, help="Enable or disable IPv4 address assignment")
@click.option("--ipv6/--no-ipv6", default=None, help="Enable or disable IPv6 address assignment")
@click.option("--label", multiple=True, metavar="KEY[=VALUE]", help="Set metadata on a network")
@click.option("-o", "--opt", multiple=True, metavar="KEY=VALUE", help="Set driver specific options")
@click.option("--scope", default="", help="Control the network's scope")
@click.option("--subnet", multiple=True, metavar="CIDR", help="Subnet that represents a network segment")
@click.argument("name", metavar="NETWORK")
@click.pass_obj
def create(client: Client, *, name: str, **wishes: Unpack[NetworkWishes]) -> None:
    """Create a network"""
    reply: Created = client.post("/networks/create", _network_body(name, wishes))
    for warning in reply.get("Warning", "").splitlines():
        print(f"WARNING: {warning}", file=sys.stderr)
    print(reply["Id"])


def _network_body(name: str, wishes: NetworkWishes) -> Body:
    from bridgehead.cli.subnets import subnet_configs

    auxiliary = pairs(wishes["aux_address"])
    config_from = wishes["config_from"]
    families = {"EnableIPv4": wishes["ipv4"], "EnableIPv6": wishes["ipv6"]}
    return {
        "Name": name,
        "CheckDuplicate": True,  # daemons before API 1.44 take a second network of the same name otherwise
        "Driver": wishes["driver"],
        "Scope": wishes["scope"],
        "Attachable": wishes["attachable"],
        "Internal": wishes["internal"],
        "ConfigOnly": wishes["config_only"],
        "ConfigFrom": {"Network": config_from} if config_from else None,
        "IPAM": {
            "Driver": wishes["ipam_driver"],
            "Options": pairs(wishes["ipam_opt"]),
            "Config": subnet_configs(wishes["subnet"], wishes["ip_range"], wishes["gateway"], auxiliary),
        },
        "Labels": pairs(wishes["label"]),
        "Options": pairs(wishes["opt"]),
        **{key: wanted for key, wanted in families.items() if wanted is not None},
    }


LISTING = Listing(
    {
        "ID": "NETWORK ID",
        "Name": "NAME",
        "Driver": "DRIVER",
        "Scope": "SCOPE",
        "IPv4": "IPV4",
        "IPv6": "IPV6",
        "Internal": "INTERNAL",
        "Labels": "LABELS",
        "CreatedAt": "CREATED AT",
    },
    ("ID", "Name", "Driver", "Scope"),
)


@click.command(cls=Verb)
@click.option(
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. driver=bridge",
)
@format_option
@no_trunc_option
@click.option("-q", "--quiet", is_flag=True, help="Only display network ids")
@click.pass_obj
def ls(client: Client, *, wanted: tuple[str, ...], layout: str | None, no_trunc: bool, quiet: bool) -> None:
    """List networks"""
    found: list[NetworkReply] = client.get("/networks", {"filters": filters(wanted)})
    ordered = sorted(found, key=lambda network: natural(network["Name"]))
    LISTING.show([_row(network, no_trunc=no_trunc) for network in ordered], layout, quiet=quiet)


def _row(network: NetworkReply, *, no_trunc: bool) -> Row:
    return Row(
        CreatedAt=network["Created"].replace("T", " ").replace("Z", " +0000 UTC"),
        Driver=network["Driver"],
        ID=network["Id"] if no_trunc else short(network["Id"]),
        IPv4=str(network.get("EnableIPv4", False)).lower(),
        IPv6=str(network["EnableIPv6"]).lower(),
        Internal=str(network["Internal"]).lower(),
        Name=network["Name"],
        Scope=network["Scope"],
        **label_fields(network["Labels"]),
    )


@click.command(cls=Verb)
@template_option
@click.option("-v", "--verbose", is_flag=True, help="Verbose output for diagnostics")
@click.argument("names", metavar="NETWORK...", nargs=-1, required=True)
@click.pass_obj
def inspect(client: Client, *, names: tuple[str, ...], layout: str | None, verbose: bool) -> int:
    """Display detailed information on one or more networks"""
    from bridgehead.cli.inspection import show

    def fetch(name: str) -> object:
        return client.get(f"/networks/{name}", {"verbose": True if verbose else None})

    return show(names, fetch, layout)


@click.command(cls=Verb)
@click.option(
    "-f", "--force", is_flag=True, help="Also if its plugin does not answer; no error if it does not exist"
)
@click.argument("names", metavar="NETWORK...", nargs=-1, required=True)
@click.pass_obj
def rm(client: Client, *, names: tuple[str, ...], force: bool) -> int:
    """Remove one or more networks"""

    def remove(name: str) -> str | None:
        try:
            client.delete(f"/networks/{name}", {"force": "1"} if force else {})
        except Refused as error:
            if force and error.status == NOT_FOUND:
                return None
            raise
        return name

    return each(names, remove)


@click.command(cls=Verb)
@click.option("--alias", multiple=True, help="Add network-scoped alias for the container")
@click.option("--driver-opt", multiple=True, metavar="KEY=VALUE", help="Driver options for the endpoint")
@click.option("--gw-priority", type=int, default=0, help="Highest priority provides the default gateway")
@click.option("--ip", default="", help="IPv4 address")
@click.option("--ip6", default="", help="IPv6 address")
@click.option("--link", multiple=True, help="Add link to another container")
@click.option("--link-local-ip", multiple=True, help="Add a link-local address for the container")
@click.argument("network")
@click.argument("container")
@click.pass_obj
def connect(
    client: Client,
    *,
    network: str,
    container: str,
    alias: tuple[str, ...],
    driver_opt: tuple[str, ...],
    gw_priority: int,
    ip: str,
    ip6: str,
    link: tuple[str, ...],
    link_local_ip: tuple[str, ...],
) -> None:
    """Connect a container to a network"""
    addresses = {"IPv4Address": ip, "IPv6Address": ip6, "LinkLocalIPs": list(link_local_ip)}
    endpoint: Body = {
        "IPAMConfig": {key: value for key, value in addresses.items() if value},
        "Aliases": list(alias),
        "Links": list(link),
        "DriverOpts": pairs(driver_opt),
        "GwPriority": gw_priority,
    }
    client.post(f"/networks/{network}/connect", {"Container": container, "EndpointConfig": endpoint})


@click.command(cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Force the container to disconnect from a network")
@click.argument("network")
@click.argument("container")
@click.pass_obj
def disconnect(client: Client, *, network: str, container: str, force: bool) -> None:
    """Disconnect a container from a network"""
    client.post(f"/networks/{network}/disconnect", {"Container": container, "Force": force})
