"""`bridgehead run`, `start` and `attach`.

The order of calls is what makes them exact: attach before start, so that no output is missed; ask for the
exit code before start, so that a short life is not missed either.
"""

import sys
from typing import Unpack

import click

from bridgehead.cli.client import Client, CommandFailed, Refused
from bridgehead.cli.creation import new_container, verb
from bridgehead.cli.holding import check_input, held, until_end
from bridgehead.cli.replies import ContainerReply
from bridgehead.cli.verb import Verb, each
from bridgehead.cli.wishes import Attached, Wishes

RUN_FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
MISSING_WORDS = ("executable file not found", "no such file or directory")
DENIED_WORDS = ("permission denied", "is a directory")


class RunWishes(Wishes):
    detach: bool
    detach_keys: str | None
    sig_proxy: bool


def _run(client: Client, image: str, command: tuple[str, ...], **wishes: Unpack[RunWishes]) -> int:
    """Create and run a new container from an image"""
    if wishes["attach"] and wishes["detach"]:
        raise CommandFailed("conflicting options: cannot specify both --attach and --detach")
    try:
        return (
            _run_detached(client, image, command, wishes)
            if wishes["detach"]
            else _run_attached(client, image, command, wishes)
        )
    except CommandFailed as error:
        code = _start_code(error) if isinstance(error, Refused) else RUN_FAILED
        words = f"bridgehead: {error.message}\n\nRun 'bridgehead run --help' for more information"
        raise CommandFailed(words, code) from error


run = verb(
    _run,
    click.Option(["-d", "--detach"], is_flag=True, help="Run in background and print the container id"),
    click.Option(["--detach-keys"], help="Override the key sequence for detaching"),
    click.Option(["--sig-proxy/--no-sig-proxy"], default=True, help="Proxy signals to the process"),
    name="run",
)


def _start_code(error: Refused) -> int:
    if any(words in error.sentence for words in MISSING_WORDS):
        return NOT_FOUND
    if any(words in error.sentence for words in DENIED_WORDS):
        return NOT_EXECUTABLE
    return RUN_FAILED


def _run_detached(client: Client, image: str, command: tuple[str, ...], wishes: RunWishes) -> int:
    container = new_container(client, image, command, wishes, Attached(stdin=False, output=False))
    try:
        client.post(f"/containers/{container}/start")
    finally:
        print(container)
    return 0


def _run_attached(client: Client, image: str, command: tuple[str, ...], wishes: RunWishes) -> int:
    streams = {word.lower() for word in wishes["attach"]}
    stdin = wishes["interactive"] if not streams else "stdin" in streams
    tty = wishes["tty"]
    check_input(tty=tty, stdin=stdin)
    container = new_container(client, image, command, wishes, Attached(stdin=stdin, output=True))
    with held(client, container, tty=tty, stdin=stdin, keys=wishes["detach_keys"]) as session:
        condition = "removed" if wishes["rm"] else "next-exit"
        ending = client.send("POST", f"/containers/{container}/wait", {"condition": condition})
        client.post(f"/containers/{container}/start")
        return until_end(client, container, session, ending, tty=tty, proxy=wishes["sig_proxy"])


@click.command(cls=Verb)
@click.option("-a", "--attach", is_flag=True, help="Attach stdout and stderr, and forward signals")
@click.option("-i", "--interactive", is_flag=True, help="Attach the container's stdin")
@click.option("--detach-keys", help="Override the key sequence for detaching")
@click.argument("names", metavar="CONTAINER...", nargs=-1, required=True)
@click.pass_obj
def start(
    client: Client, *, names: tuple[str, ...], attach: bool, interactive: bool, detach_keys: str | None
) -> int:
    """Start one or more stopped containers"""
    if attach or interactive:
        if len(names) > 1:
            raise CommandFailed("you cannot start and attach multiple containers at once")
        return _start_attached(client, names[0], interactive=interactive, keys=detach_keys)
    failed: list[str] = []
    code = each(names, lambda name: _start_one(client, name, failed))
    if failed:
        print(f"Error: failed to start containers: {', '.join(failed)}", file=sys.stderr)
    return code


def _start_one(client: Client, name: str, failed: list[str]) -> str:
    try:
        client.post(f"/containers/{name}/start")
    except CommandFailed:
        failed.append(name)
        raise
    return name


def _start_attached(client: Client, name: str, *, interactive: bool, keys: str | None) -> int:
    found: ContainerReply = client.get(f"/containers/{name}/json")
    container, tty = found["Id"], found["Config"]["Tty"]
    stdin = interactive and found["Config"]["OpenStdin"]
    with held(client, container, tty=tty, stdin=stdin, keys=keys) as session:
        condition = "removed" if found["HostConfig"]["AutoRemove"] else "next-exit"
        ending = client.send("POST", f"/containers/{container}/wait", {"condition": condition})
        client.post(f"/containers/{container}/start")
        return until_end(client, container, session, ending, tty=tty, proxy=True)


@click.command(cls=Verb)
@click.option("--detach-keys", help="Override the key sequence for detaching")
@click.option("--no-stdin", is_flag=True, help="Do not attach stdin")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Proxy signals to the process")
@click.argument("name", metavar="CONTAINER")
@click.pass_obj
def attach(client: Client, *, name: str, detach_keys: str | None, no_stdin: bool, sig_proxy: bool) -> int:
    """Attach local standard input, output and error streams to a running container"""
    found: ContainerReply = client.get(f"/containers/{name}/json")
    state, tty = found["State"], found["Config"]["Tty"]
    refusals = {"stopped": not state["Running"], "paused": state["Paused"], "restarting": state["Restarting"]}
    for word, refused in refusals.items():
        if refused:
            remedy = {"stopped": ", start it first", "paused": ", unpause it first"}.get(word, "")
            raise CommandFailed(f"You cannot attach to a {word} container{remedy}")
    stdin = found["Config"]["OpenStdin"] and not no_stdin
    check_input(tty=tty, stdin=stdin)
    ending = client.send("POST", f"/containers/{found['Id']}/wait")
    with held(client, found["Id"], tty=tty, stdin=stdin, keys=detach_keys) as session:
        return until_end(client, found["Id"], session, ending, tty=tty, proxy=sig_proxy)
