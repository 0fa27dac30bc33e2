"""`bridgehead create`, and the options it shares with `run`."""

import sys
from collections.abc import Callable
from typing import Unpack

import click

from bridgehead.cli.client import Body, Client, Refused
from bridgehead.cli.pulling import ImageSource
from bridgehead.cli.replies import Created
from bridgehead.cli.verb import Verb
from bridgehead.cli.wishes import Attached, Wishes, byte_count, container_body


class Bytes(click.ParamType[int]):
    name = "bytes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return byte_count(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _text(*names: str, about: str, default: str = "") -> click.Option:
    return click.Option(names, default=default, help=about, metavar="TEXT")


def _list(*names: str, about: str) -> click.Option:
    return click.Option(names, multiple=True, help=about)


def _switch(*names: str, about: str) -> click.Option:
    return click.Option(names, is_flag=True, help=about)


def _number(
    *names: str, about: str, kind: click.ParamType[float] | click.ParamType[int] = click.INT
) -> click.Option:
    return click.Option(names, type=kind, default=0, help=about)


OPTIONS = (
    _list("--add-host", about="Add a custom host-to-IP mapping (host:ip)"),
    _list("--cap-add", about="Add Linux capabilities"),
    _list("--cap-drop", about="Drop Linux capabilities"),
    _number("--cpu-period", about="CPU period, in microseconds"),
    _number("--cpu-quota", about="CPU time in each period, in microseconds"),
    _number("-c", "--cpu-shares", about="CPU shares (relative weight)"),
    _number("--cpus", kind=click.FLOAT, about="Number of CPUs"),
    _text("--cpuset-cpus", about="CPUs in which to allow execution (0-3, 0,1)"),
    _list("--dns", about="Set custom DNS servers"),
    _list("--dns-option", "--dns-opt", "dns_option", about="Set DNS options"),
    _list("--dns-search", about="Set custom DNS search domains"),
    _text("--domainname", about="Container NIS domain name"),
    click.Option(["--entrypoint"], help="Overwrite the entrypoint of the image"),
    _list("-e", "--env", about="Set environment variables"),
    _list("--env-file", about="Read in a file of environment variables"),
    _list("--expose", about="Expose a port or a range of ports"),
    _text("-h", "--hostname", about="Container host name"),
    _switch("-i", "--interactive", about="Keep stdin open even if not attached"),
    _text("--ip", about="IPv4 address"),
    _text("--ip6", about="IPv6 address"),
    _list("-l", "--label", about="Set metadata on a container"),
    _list("--link", about="Add link to another container"),
    _list("--link-local-ip", about="Container link-local addresses"),
    _text("--mac-address", about="Container MAC address"),
    _number("-m", "--memory", kind=Bytes(), about="Memory limit"),
    _number("--memory-reservation", kind=Bytes(), about="Memory soft limit"),
    _number("--memory-swap", kind=Bytes(), about="Memory plus swap; -1 for unlimited swap"),
    _text("--name", about="Assign a name to the container"),
    _list("--network", "--net", "network", about="Connect the container to a network"),
    _list(
        "--network-alias", "--net-alias", "network_alias", about="Add network-scoped alias for the container"
    ),
    _number("--pids-limit", about="Limit the number of processes (-1 for unlimited)"),
    _switch("--privileged", about="Give extended privileges to this container"),
    _list("-p", "--publish", about="Publish a container's port(s) to the host"),
    _switch("-P", "--publish-all", about="Publish all exposed ports to random ports"),
    _text("--pull", default="missing", about="Pull image before running: always, missing or never"),
    _switch("--read-only", about="Mount the container's root filesystem as read only"),
    _text("--restart", default="no", about="Restart policy: no, always, unless-stopped, on-failure[:times]"),
    _switch("--rm", about="Automatically remove the container when it exits"),
    _text("--stop-signal", about="Signal to stop the container"),
    click.Option(["--stop-timeout"], type=int, help="Seconds to wait before killing the container"),
    _list("--sysctl", about="Sysctl options (key=value)"),
    _list("--tmpfs", about="Mount a tmpfs directory"),
    _switch("-t", "--tty", about="Allocate a pseudo-TTY"),
    _text("-u", "--user", about="Username or UID (name|uid[:group|gid])"),
    _list("-v", "--volume", about="Bind mount a volume (source:target[:ro])"),
    _text("-w", "--workdir", about="Working directory inside the container"),
)


def verb(function: Callable[..., int | None], *extra: click.Option, name: str) -> click.Command:
    """`IMAGE [COMMAND…]` with these options before it; words behind the image are the container's own."""
    return Verb(
        name,
        callback=click.pass_obj(function),
        help=function.__doc__,
        params=[
            *OPTIONS,
            *extra,
            click.Argument(["image"]),
            click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARG...]"),
        ],
        context_settings={"allow_interspersed_args": False},
    )


def new_container(
    client: Client, image: str, command: tuple[str, ...], wishes: Wishes, attached: Attached
) -> str:
    """Create it and print the daemon's warnings; its id."""
    body = container_body(image, command, wishes, attached)
    source = ImageSource(client, image, wishes["pull"])
    source.prepare()
    reply = _asked(client, body, wishes["name"], source)
    for warning in reply.get("Warnings") or []:
        print(f"WARNING: {warning}", file=sys.stderr)
    return reply["Id"]


def _asked(client: Client, body: Body, name: str, source: ImageSource) -> Created:
    query = {"name": name or None}
    try:
        reply: Created = client.post("/containers/create", body, query)
    except Refused as error:
        source.supply(error)
        reply = client.post("/containers/create", body, query)
    return reply


def _create(client: Client, image: str, command: tuple[str, ...], **wishes: Unpack[Wishes]) -> None:
    """Create a new container"""
    attached = Attached(stdin=wishes["interactive"], output=True)
    print(new_container(client, image, command, wishes, attached))


create = verb(_create, name="create")
