"""Overlay mounts as the reconciler sees them: ours are those below our containers' folder."""

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import OverlayMount, State, state
from bridgehead.host.mounts import calls
from bridgehead.host.mounts.table import overlays

_SOURCE = "bridgehead"
_UPPER_MODE = 0o755  # it becomes the mode of the container's own /
_WORK_MODE = 0o700
_OPTIONS_LIMIT = 4096  # one page, with the final zero
_SPECIAL = frozenset(",:\\")


class MountPlane:
    kinds: frozenset[type] = frozenset({OverlayMount})

    def __init__(self, root: str) -> None:
        self._root = root

    def observe(self) -> State:
        return state(*overlays(self._root).values())

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for op in ops:
            if not isinstance(op.object, OverlayMount):
                raise TypeError(f"no mount: {op.object}")
            try:
                if isinstance(op, Delete):
                    _unmount(op.object)
                else:
                    self._mount(op.object)
            except OSError as error:
                failed[op.object.key] = error
        return failed

    def _mount(self, wanted: OverlayMount) -> None:
        _make_folder(wanted.target, _UPPER_MODE)
        if not os.path.ismount(wanted.target):
            _make_folder(wanted.upper, _UPPER_MODE)
            _make_folder(wanted.work, _WORK_MODE)
            _mount_overlay(wanted)
        elif overlays(self._root).get(wanted.target) != wanted:
            raise OSError(errno.EBUSY, "something else is mounted here", wanted.target)


def _make_folder(path: str, mode: int) -> None:
    """The mode is for a new folder alone: a container may have changed that of its own /."""
    folder = Path(path)
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(mode)


def _mount_overlay(wanted: OverlayMount) -> None:
    layers = list(reversed(wanted.lower))
    paths = [*layers, wanted.upper, wanted.work]
    options = f"lowerdir={':'.join(layers)},upperdir={wanted.upper},workdir={wanted.work}"
    if len(os.fsencode(options)) < _OPTIONS_LIMIT and _SPECIAL.isdisjoint("".join(paths)):
        calls.mount(_SOURCE, wanted.target, "overlay", options)
        return
    # Only kernels from 6.8 on take layers one by one, so this is not the way for all.
    singly = [("lowerdir+", layer) for layer in layers]
    directories = [*singly, ("upperdir", wanted.upper), ("workdir", wanted.work)]
    calls.mount_in_steps(_SOURCE, wanted.target, "overlay", directories)


def _unmount(mount: OverlayMount) -> None:
    try:
        calls.unmount(mount.target)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):  # not mounted, or not even a folder
            raise
