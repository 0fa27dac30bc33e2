"""`bridgehead cp`: files between a container and here, as tar archives."""

import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISLNK
from typing import IO, TYPE_CHECKING

import click

from bridgehead.cli.client import Client, CommandFailed, Query, Refused
from bridgehead.cli.connection import PIECE
from bridgehead.cli.verb import Verb

if TYPE_CHECKING:
    import tarfile

STAT_HEADER = "x-docker-container-path-stat"
GO_DIRECTORY, GO_LINK = 1 << 31, 1 << 27  # Go's own bits in a file mode
LINKS_FOLLOWED = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A path, in a container or (without one) here; `-` is our own stdin or stdout."""

    container: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    directory: bool
    link: str


@click.command(cls=Verb, usage=("CONTAINER:SRC_PATH DEST_PATH|-", "SRC_PATH|- CONTAINER:DEST_PATH"))
@click.option("-a", "--archive", is_flag=True, help="Archive mode (copy all uid/gid information)")
@click.option("-L", "--follow-link", is_flag=True, help="Always follow symbol link in SRC_PATH")
@click.option("-q", "--quiet", is_flag=True, help="Suppress progress output during copy")
@click.argument("source", metavar="CONTAINER:SRC_PATH|SRC_PATH|-")
@click.argument("target", metavar="DEST_PATH|-|CONTAINER:DEST_PATH")
@click.pass_obj
def cp(client: Client, *, source: str, target: str, archive: bool, follow_link: bool, quiet: bool) -> None:
    """Copy files/folders between a container and the local filesystem"""
    came, went = place(source), place(target)
    if came.container and went.container:
        raise CommandFailed("copying between containers is not supported")
    if came.container:
        count = _out(client, came, went.path, follow=follow_link, owners=archive)
    elif went.container:
        count = _into(client, came.path, went, follow=follow_link, owners=archive)
    else:
        raise CommandFailed("must specify at least one container source")
    if not quiet and sys.stderr.isatty():
        from bridgehead.cli.format import size

        print(f"Successfully copied {size(count)} to {target}", file=sys.stderr)


def place(word: str) -> Place:
    """`container:path`; what begins with '.' or '/' is always a path of ours."""
    container, colon, path = word.partition(":")
    return Place(container, path) if colon and word[0] not in "./" else Place("", word)


def _look(client: Client, where: Place) -> Found:
    headers = client.head(f"/containers/{where.container}/archive", {"path": where.path})
    return _found(headers.get(STAT_HEADER, ""))


def _found(header: str) -> Found:
    said = json.loads(b64decode(header))
    mode = int(said["mode"])
    directory = bool(mode & GO_DIRECTORY) or S_ISDIR(mode)
    link = said.get("linkTarget", "") if mode & GO_LINK or S_ISLNK(mode) else ""
    return Found(said["name"], directory, link)


def _out(client: Client, came: Place, target: str, *, follow: bool, owners: bool) -> int:
    parent = Path(target).absolute().parent
    if target != "-" and not parent.is_dir():
        raise CommandFailed(f'invalid output path: directory "{parent}" does not exist')
    path = _followed(client, came) if follow else came.path
    pieces = client.stream(f"/containers/{came.container}/archive", {"path": path})
    if target == "-":
        return sum(sys.stdout.buffer.write(piece) for piece in pieces)
    here = Path(target)
    contents = path.endswith("/.") or path == "."
    return _unpacked(pieces, here, ends_in_slash=target.endswith("/"), contents=contents, owners=owners)


def _followed(client: Client, came: Place) -> str:
    path = came.path
    for _ in range(LINKS_FOLLOWED):
        link = _look(client, Place(came.container, path)).link
        if not link:
            return path
        path = str(PurePosixPath("/", path).parent / link)
    raise CommandFailed(f"too many links: {came.path}")


def _unpacked(
    pieces: Iterator[bytes], here: Path, *, ends_in_slash: bool, contents: bool, owners: bool
) -> int:
    """What the archive holds goes into a directory that is there, or takes the name of one that is not."""
    import tarfile

    reader = _Reader(pieces)
    into = here.is_dir()
    allowed = _filter(owners=owners)
    try:
        with tarfile.open(fileobj=reader, mode="r|") as archive:  # type: ignore[call-overload]
            for number, member in enumerate(archive):
                if number == 0:
                    _check_target(here, directory=member.isdir(), ends_in_slash=ends_in_slash)
                folder, member.name = _new_name(member, here, into=into, contents=contents)
                archive.extract(member, folder, filter=allowed)
    except (tarfile.TarError, OSError) as error:
        raise CommandFailed(f"cannot copy to {here}: {error}") from error
    return reader.count


def _new_name(member: "tarfile.TarInfo", here: Path, *, into: bool, contents: bool) -> tuple[Path, str]:
    """The folder that an entry goes in, and its name there."""
    top, _, rest = member.name.rstrip("/").partition("/")
    if not into and not member.isdir() and not rest:
        return here.absolute().parent, here.name
    here.mkdir(exist_ok=True)
    name = rest if contents or not into else f"{top}/{rest}".rstrip("/")
    return here, name or "."


def _filter(*, owners: bool) -> str:
    """`tar` keeps names within the target and drops nothing else; `data` also drops owners and odd modes."""
    return "tar" if owners else "data"


def _check_target(here: Path, *, directory: bool, ends_in_slash: bool) -> None:
    if directory and here.exists() and not here.is_dir():
        raise CommandFailed("cannot copy directory")
    if not directory and ends_in_slash and not here.is_dir():
        raise CommandFailed(f'destination directory "{here}" must exist')


class _Reader:
    """Pieces as the file that tarfile reads."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held, self.count = pieces, b"", 0

    def read(self, count: int) -> bytes:
        while len(self._held) < count and (piece := next(self._pieces, b"")):
            self._held += piece
        part, self._held = self._held[:count], self._held[count:]
        self.count += len(part)
        return part


def _into(client: Client, source: str, went: Place, *, follow: bool, owners: bool) -> int:
    folder, name, file = _destination(client, went)
    query: Query = {"path": folder, "noOverwriteDirNonDir": 1, "copyUIDGID": 1 if owners else None}
    path = f"/containers/{went.container}/archive"
    if source == "-":
        if name:
            raise CommandFailed(f'destination "{went.container}:{went.path}" must be a directory')
        return _sent(client, path, iter(lambda: sys.stdin.buffer.read(PIECE), b""), query)
    here = Path(source)
    if not here.exists() and not here.is_symlink():
        raise CommandFailed(f"lstat {source}: no such file or directory")
    if name and went.path.endswith("/") and not here.is_dir():
        raise CommandFailed("no such directory")
    if file and here.is_dir():
        raise CommandFailed("cannot copy directory")
    contents = here.is_dir() and (source.endswith("/.") or source == ".")
    inside = name or ("." if contents else here.absolute().name)
    with _packed(here, inside, follow=follow) as packed:
        return _sent(client, path, iter(lambda: packed.read(PIECE), b""), query)


def _destination(client: Client, went: Place) -> tuple[str, str, bool]:
    """The directory to unpack in; the new name there, or none when it is the path; whether it is a file."""
    path = PurePosixPath("/", went.path)
    try:
        found = _look(client, went)
        if found.link:
            path = PurePosixPath("/", path.parent, found.link)
            found = _look(client, Place(went.container, str(path)))
    except Refused:  # whatever is wrong with it, the daemon says in answer to the archive
        return str(path.parent), path.name, False
    return (str(path), "", False) if found.directory else (str(path.parent), path.name, True)


def _sent(client: Client, path: str, pieces: Iterator[bytes], query: Query) -> int:
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for piece in pieces:
            count += len(piece)
            yield piece

    for _ in client.upload(path, counted(), query, method="PUT"):
        pass
    return count


def _packed(here: Path, name: str, *, follow: bool) -> IO[bytes]:
    """The archive, in a file that goes with its closing: its length is known before it is sent."""
    import tarfile
    from tempfile import TemporaryFile

    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tarfile.open(fileobj=file, mode="w", dereference=False) as archive:
        archive.add(here.resolve() if follow else here, name)
    file.seek(0)
    return file
