"""`bridgehead exec`"""

import click

from bridgehead.cli.client import Client
from bridgehead.cli.holding import check_input, raw_input, sized
from bridgehead.cli.replies import Created, ExecReply
from bridgehead.cli.session import Ending, Session
from bridgehead.cli.verb import Verb
from bridgehead.cli.wishes import environment


@click.command("exec", cls=Verb, context_settings={"allow_interspersed_args": False})
@click.option("-d", "--detach", is_flag=True, help="Run command in the background")
@click.option("--detach-keys", help="Override the key sequence for detaching")
@click.option("-e", "--env", multiple=True, help="Set environment variables")
@click.option("--env-file", multiple=True, help="Read in a file of environment variables")
@click.option("-i", "--interactive", is_flag=True, help="Keep stdin open even if not attached")
@click.option("--privileged", is_flag=True, help="Give extended privileges to the command")
@click.option("-t", "--tty", is_flag=True, help="Allocate a pseudo-TTY")
@click.option("-u", "--user", default="", help="Username or UID (name|uid[:group|gid])")
@click.option("-w", "--workdir", default="", help="Working directory inside the container")
@click.argument("container")
@click.argument("command", metavar="COMMAND [ARG...]", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def execute(
    client: Client,
    *,
    container: str,
    command: tuple[str, ...],
    detach: bool,
    detach_keys: str | None,
    env: tuple[str, ...],
    env_file: tuple[str, ...],
    interactive: bool,
    privileged: bool,
    tty: bool,
    user: str,
    workdir: str,
) -> int:
    """Execute a command in a running container"""
    stdin = interactive and not detach
    check_input(tty=tty, stdin=stdin)
    body = {
        "Cmd": list(command),
        "Env": list(environment(env, env_file)),
        "User": user,
        "WorkingDir": workdir,
        "Privileged": privileged,
        "Tty": tty,
        "AttachStdin": stdin,
        "AttachStdout": not detach,
        "AttachStderr": not detach,
        "DetachKeys": detach_keys or "",
    }
    created: Created = client.post(f"/containers/{container}/exec", body)
    path = f"/exec/{created['Id']}"
    if detach:
        client.post(f"{path}/start", {"Detach": True, "Tty": tty})
        return 0
    return _exec_attached(client, path, tty=tty, stdin=stdin, keys=detach_keys)


def _exec_attached(client: Client, path: str, *, tty: bool, stdin: bool, keys: str | None) -> int:
    connection = client.hijack(f"{path}/start", body={"Detach": False, "Tty": tty})
    session = Session(connection, tty=tty, stdin=stdin, keys=keys)
    with raw_input(connection, tty=tty, stdin=stdin):
        if _hold_exec(client, path, session, tty=tty) is Ending.DETACHED:
            return 0
    reply: ExecReply = client.get(f"{path}/json")
    return reply["ExitCode"] or 0


def _hold_exec(client: Client, path: str, session: Session, *, tty: bool) -> Ending:
    if not tty:
        return session.hold()
    with sized(client, f"{path}/resize"):
        return session.hold()
