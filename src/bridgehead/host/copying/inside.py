"""`python -m bridgehead.host.copying.inside ORDER`: a container's files, seen from where none can lead out.

The process makes the container's root its own before it looks at a name, since the container, or whoever made
the archive, chose every one. It ends with 0, or writes one sentence to standard error.
"""

import errno
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Mapping

import msgspec

from bridgehead.core.model.errors import Conflict, Forbidden, HostRefused, InvalidParameter, NotFound
from bridgehead.core.oci.users import account
from bridgehead.host.copying import order as orders
from bridgehead.host.copying.differences import Differences
from bridgehead.host.copying.entering import end_with, enter, opened
from bridgehead.host.copying.extraction import Extraction
from bridgehead.host.copying.order import Order, Verb
from bridgehead.host.copying.paths import Tree
from bridgehead.host.copying.writing import Writer
from bridgehead.host.images import compression, confined
from bridgehead.host.images.stream import Members

_BUFFER = 1 << 20
_LARGEST_LIST = 1 << 20
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_OURS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EPIPE})
_READ_ONLY_ROOT = "container rootfs is marked read-only"
_READ_ONLY_MOUNT = "mounted volume is marked read-only"


def stat(order: Order, tree: Tree) -> None:
    _tell(msgspec.json.encode(tree.facts(tree.find(order.path))))


def read(order: Order, tree: Tree) -> None:
    place = tree.find(order.path)
    _tell(msgspec.json.encode(tree.facts(place)))
    with os.fdopen(1, "wb", _BUFFER, closefd=False) as out:
        writer = Writer(out, tree.descriptors)
        writer.tree(place.path, place.name)
        writer.end()


def export(_: Order, tree: Tree) -> None:
    with os.fdopen(1, "wb", _BUFFER, closefd=False) as out:
        writer = Writer(out, tree.descriptors)
        writer.tree(b"/", b"")
        writer.end()


def write(order: Order, tree: Tree) -> None:
    folder = tree.target_folder(order.path)
    _require_writable(folder)
    owner = _owner(order.as_user) if order.as_user is not None else None
    extraction = Extraction(folder, owner=owner, keep_kinds=order.keep_kinds)
    source = confined.Counted(compression.inflated(confined.standard_input()))
    members = Members(source)
    os.umask(0o022)
    for entry in members:
        extraction.place(entry, members.content())
    extraction.finish()
    while source.read(_BUFFER):
        pass


def differ(order: Order) -> None:
    """Needs no view of the whole, only of what overlayfs keeps."""
    lower = [os.open(layer, _FOLDER) for layer in reversed(order.lower)]
    try:
        os.chroot(order.upper)
    except FileNotFoundError:  # a container that never ran has changed nothing
        return
    os.chdir("/")
    with os.fdopen(1, "wb", _BUFFER, closefd=False) as out:
        for difference in Differences(lower, [os.fsencode(path) for path in order.hidden]).list():
            out.write(msgspec.json.encode(difference) + b"\n")


_VERBS: Mapping[Verb, Callable[[Order, Tree], None]] = {
    Verb.STAT: stat,
    Verb.READ: read,
    Verb.WRITE: write,
    Verb.EXPORT: export,
}


def obey(order: Order) -> None:
    if order.verb is Verb.DIFFER:
        differ(order)
        return
    descriptors = os.open("/proc/self/fd", _FOLDER)
    try:
        enter(order)
    except OSError as error:
        raise HostRefused(_words(error)) from error
    _VERBS[order.verb](order, Tree(descriptors))


def _tell(line: bytes) -> None:
    os.write(1, line + b"\n")


def _require_writable(folder: bytes) -> None:
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        own = os.stat(folder).st_dev == os.stat("/").st_dev  # noqa: PTH116
        raise Forbidden(_READ_ONLY_ROOT if own else _READ_ONLY_MOUNT)


def _owner(user: str) -> tuple[int, int]:
    found = account(user, passwd=_text(b"etc/passwd"), group=_text(b"etc/group")).user
    return found.uid, found.gid


def _text(path: bytes) -> str:
    root = os.open("/", _FOLDER)
    try:
        descriptor = opened(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return ""
    finally:
        os.close(root)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_LARGEST_LIST).decode(errors="replace")


def _status(order: Order) -> tuple[int, str]:
    try:
        obey(order)
    except NotFound as error:
        return orders.GONE, error.message
    except Forbidden as error:
        return orders.FORBIDDEN, error.message
    except Conflict as error:
        return orders.STOPPED, error.message
    except InvalidParameter as error:
        return confined.REFUSED, error.message
    except HostRefused as error:
        return confined.FAILED, error.message
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        return confined.REFUSED, f"invalid archive: {error}"
    except MemoryError:
        return confined.REFUSED, "invalid archive: reading it takes too much memory"
    except OSError as error:
        return _class(error), _words(error)
    return 0, ""


def _class(error: OSError) -> int:
    """What neither the disk nor the mount is to blame for, the archive or the path is."""
    if error.errno == errno.EROFS:
        return orders.FORBIDDEN
    return confined.FAILED if error.errno in _OURS else confined.REFUSED


def _words(error: OSError) -> str:
    if error.errno is None:
        return f"invalid archive: {error}"
    name = error.filename
    return f"{error.strerror}: {os.fsdecode(name)}" if isinstance(name, bytes | str) else str(error.strerror)


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    end_with(order.parent)
    confined.bound()
    status, words = _status(order)
    sys.stderr.write(words.encode("utf-8", "replace").decode()[:1000])
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
