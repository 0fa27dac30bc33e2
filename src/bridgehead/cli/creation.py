"""`bridgehead create`, and the options it shares with `run`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

import click

from bridgehead.cli.client import Body, Client, CommandFailed, Refused
from bridgehead.cli.format import byte_count
from bridgehead.cli.mounts import mount
from bridgehead.cli.replies import Created
from bridgehead.cli.surroundings import host_address, name_server, nanoseconds, ulimit
from bridgehead.cli.verb import Parsed, Verb
from bridgehead.cli.wishes import Attached, Wishes, container_body

BYTES = Parsed("bytes", byte_count)
DURATION = Parsed("duration", nanoseconds)


def _text(*names: str, about: str, default: str = "") -> click.Option:
    return click.Option(names, default=default, help=about, metavar="TEXT")


def _list(*names: str, about: str) -> click.Option:
    return click.Option(names, multiple=True, help=about)


def _switch(*names: str, about: str) -> click.Option:
    return click.Option(names, is_flag=True, help=about)


def _number(*names: str, about: str, kind: click.ParamType[Any] = click.INT) -> click.Option:
    return click.Option(names, type=kind, default=0, help=about)


def _read(*names: str, about: str, kind: str, read: Callable[[str], object]) -> click.Option:
    return click.Option(names, multiple=True, type=Parsed(kind, read), metavar=kind, help=about)


LIMITS = (
    _number("--cpu-period", about="CPU period, in microseconds"),
    _number("--cpu-quota", about="CPU time in each period, in microseconds"),
    _number("-c", "--cpu-shares", about="CPU shares (relative weight)"),
    _number("--cpus", kind=click.FLOAT, about="Number of CPUs"),
    _text("--cpuset-cpus", about="CPUs in which to allow execution (0-3, 0,1)"),
    _number("-m", "--memory", kind=BYTES, about="Memory limit"),
    _number("--memory-reservation", kind=BYTES, about="Memory soft limit"),
    _number("--memory-swap", kind=BYTES, about="Memory plus swap; -1 for unlimited swap"),
    _number("--pids-limit", about="Limit the number of processes (-1 for unlimited)"),
    _number("--blkio-weight", about="Block IO (relative weight), between 10 and 1000, or 0 to disable"),
    _number("--cpu-rt-period", about="CPU real-time period in microseconds"),
    _number("--cpu-rt-runtime", about="CPU real-time runtime in microseconds"),
    _text("--cpuset-mems", about="Memory nodes in which to allow execution (0-3, 0,1)"),
)
OPTIONS = (
    *LIMITS,
    _list("--annotation", about="Add an annotation to the container (passed through to the OCI runtime)"),
    _list("-a", "--attach", about="Attach to stdin, stdout or stderr"),
    _list("--blkio-weight-device", about="Block IO weight of a device (path:weight)"),
    _text("--cidfile", about="Write the container id to the file"),
    _list("--device-read-bps", about="Limit read rate (bytes per second) from a device (path:rate)"),
    _list("--device-read-iops", about="Limit read rate (IO per second) from a device (path:rate)"),
    _list("--device-write-bps", about="Limit write rate (bytes per second) to a device (path:rate)"),
    _list("--device-write-iops", about="Limit write rate (IO per second) to a device (path:rate)"),
    _text("--cgroup-parent", about="Parent cgroup of the container"),
    _text("--cgroupns", about="Cgroup namespace to use (host|private)"),
    _read("--device", about="Add a host device to the container", kind="device", read=str),
    _list("--device-cgroup-rule", about="Add a rule to the cgroup allowed devices list"),
    _list("--group-add", about="Add additional groups to join"),
    _text("--health-cmd", about="Command to run to check health"),
    _number("--health-interval", kind=DURATION, about="Time between running the check (ms|s|m|h)"),
    _number("--health-retries", about="Consecutive failures needed to report unhealthy"),
    _number("--health-start-interval", kind=DURATION, about="Time between checks during the start period"),
    _number("--health-start-period", kind=DURATION, about="Time to start in, before failures count"),
    _number("--health-timeout", kind=DURATION, about="Maximum time to allow one check to run"),
    _switch("--no-healthcheck", about="Disable the HEALTHCHECK of the image"),
    _switch("--init", about="Run an init inside the container that forwards signals and reaps processes"),
    _text("--ipc", about="IPC mode to use"),
    _list("--label-file", about="Read in a line delimited file of labels"),
    _text("--log-driver", about="Logging driver for the container"),
    _list("--log-opt", about="Log driver options"),
    click.Option(["--memory-swappiness"], type=int, default=-1, help="Tune memory swappiness (0 to 100)"),
    _read("--mount", about="Attach a filesystem mount to the container", kind="mount", read=mount),
    _switch("--oom-kill-disable", about="Disable OOM Killer"),
    _number("--oom-score-adj", about="Tune the host's OOM preferences (-1000 to 1000)"),
    _text("--pid", about="PID namespace to use"),
    _text("--platform", about="Platform, if the server is multi-platform capable"),
    _switch("-q", "--quiet", about="Suppress the pull output"),
    _text("--runtime", about="Runtime to use for this container"),
    _list("--security-opt", about="Security options"),
    _number("--shm-size", kind=BYTES, about="Size of /dev/shm"),
    _list("--storage-opt", about="Storage driver options for the container"),
    _read("--ulimit", about="Ulimit options", kind="ulimit", read=ulimit),
    _text("--userns", about="User namespace to use"),
    _text("--uts", about="UTS namespace to use"),
    _text("--volume-driver", about="Volume driver for the container"),
    _list("--volumes-from", about="Mount volumes from the specified container(s)"),
    _read("--add-host", about="Add a custom host-to-IP mapping (host:ip)", kind="list", read=host_address),
    _list("--cap-add", about="Add Linux capabilities"),
    _list("--cap-drop", about="Drop Linux capabilities"),
    _read("--dns", about="Set custom DNS servers", kind="list", read=name_server),
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
    _text("--name", about="Assign a name to the container"),
    _list("--network", "--net", "network", about="Connect the container to a network"),
    _list(
        "--network-alias", "--net-alias", "network_alias", about="Add network-scoped alias for the container"
    ),
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
    """Create it, print the daemon's warnings and write its id to the file that was asked for; its id."""
    cidfile = Path(wishes["cidfile"]) if wishes["cidfile"] else None
    if cidfile and cidfile.exists():
        raise CommandFailed(
            f"container ID file found, make sure the other container isn't running or delete {cidfile}",
            125,
        )
    body = container_body(image, command, wishes, attached)
    query = {"name": wishes["name"] or None, "platform": wishes["platform"] or None}
    if wishes["pull"] == "always":
        _pull(client, image, wishes)
    reply = _sent(client, body, query, image, wishes)
    for warning in reply.get("Warnings") or []:
        print(f"WARNING: {warning}", file=sys.stderr)
    if cidfile:
        with cidfile.open("x", encoding="ascii") as file:
            file.write(reply["Id"])
    return reply["Id"]


def _sent(client: Client, body: Body, query: Mapping[str, str | None], image: str, wishes: Wishes) -> Created:
    """A missing image is pulled, unless that is not wanted, and then it is tried once more."""
    try:
        reply: Created = client.post("/containers/create", body, query)
    except Refused as error:
        if wishes["pull"] != "missing" or "no such image" not in error.sentence.lower():
            raise
        if not wishes["quiet"]:
            print(f"Unable to find image '{_tagged(image)}' locally", file=sys.stderr)
        _pull(client, image, wishes)
        reply = client.post("/containers/create", body, query)
    return reply


def _pull(client: Client, image: str, wishes: Wishes) -> None:
    from bridgehead.cli.registries import fetch, named

    name, label = named(image)
    fetch(client, name, label or "latest", platform=wishes["platform"], quiet=wishes["quiet"], aside=True)


def _tagged(image: str) -> str:
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"


def _create(client: Client, image: str, command: tuple[str, ...], **wishes: Unpack[Wishes]) -> None:
    """Create a new container"""
    attached = Attached(stdin=wishes["interactive"], output=True)
    print(new_container(client, image, command, wishes, attached))


create = verb(_create, name="create")
