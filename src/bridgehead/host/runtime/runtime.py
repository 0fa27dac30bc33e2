"""The runtime the engine sees. It keeps nothing in memory that matters: ask the files, then the kernel."""

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePath

from bridgehead.core.model.container import Bind, Limits, ProcessSpec
from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.process import Bundle, Exit
from bridgehead.core.model.usage import Usage
from bridgehead.core.oci.config import Config, Process
from bridgehead.core.oci.resources import changed_resources
from bridgehead.core.oci.spec import execution, spec
from bridgehead.core.oci.users import Account, account, joined
from bridgehead.host.runtime import image_files, machine
from bridgehead.host.runtime.attach import AttachedStream, connect
from bridgehead.host.runtime.cgroups import Cgroups
from bridgehead.host.runtime.choice import choose, located
from bridgehead.host.runtime.conmon import Conmon, Talk
from bridgehead.host.runtime.execution import RunningExecution, conmon_of
from bridgehead.host.runtime.failure import creation_failed, exec_failed, last_words
from bridgehead.host.runtime.folder import LOG, Folder, Folders, states
from bridgehead.host.runtime.processes import Held, hold, run
from bridgehead.host.runtime.seam import refusing
from bridgehead.host.runtime.start import start, waiting
from bridgehead.host.runtime.terminal import resize
from bridgehead.host.runtime.usage import usage

_UNKNOWN = 255
_UNFIT = "invalid argument"  # what the kernel says to a value that no control group takes
_GRACE_S = 5.0


class ConmonRuntime:
    """`bundles` is the engine's folder of folders; `state` the OCI runtime's; `runtime` None: the best."""

    def __init__(
        self,
        bundles: str,
        state: str,
        runtime: str | None = None,
        conmon: str = "conmon",
        *,
        cgroup: str = "/bridgehead",
    ) -> None:
        self._folders = Folders(bundles)
        self._conmon = Conmon(conmon, state)
        self._state = state
        self._cgroups = Cgroups(cgroup)
        self._program = located(runtime) if runtime else None
        self._choosing = asyncio.Lock()
        self._executions: set[RunningExecution] = set()

    @property
    def program(self) -> str | None:
        """The OCI runtime in use; None while it is not known which works here."""
        return self._program

    async def prepare(self) -> str:
        """Find out which OCI runtime works here, once; else the first `create` does it."""
        async with self._choosing:
            if self._program is None:
                self._program = await choose(self._cgroups.parent)
            return self._program

    @refusing
    async def create(self, bundle: Bundle) -> int:
        container = bundle.container.id
        folder = self._folders.of(container)
        program = self._program or await self.prepare()
        if folder.exists():
            await self.delete(container)
        for bind in bundle.container.spec.binds:
            _provide(bind)
        folder.make()
        folder.write_program(program)
        folder.write_config(self._spec(bundle))
        process = bundle.container.spec.process
        arguments = self._conmon.container_arguments(
            folder,
            program,
            log=f"{PurePath(bundle.rootfs).parent}/{LOG}",
            tty=process.tty,
            stdin=process.open_stdin,
            stdin_once=process.stdin_once,
        )
        return await self._created(arguments, folder)

    @refusing
    async def start(self, container: ContainerID) -> None:
        with self._init(container) as init:
            if init is None:
                raise HostRefused(f"container {container} is not there to be started")
            await start(self._program_of(container), self._state, container)

    @refusing
    async def signal(self, container: ContainerID, number: int) -> None:
        """What is gone needs no signal."""
        with self._init(container) as init:
            if init is None:
                return
            init.send(number)
        if number == signal.SIGKILL:
            self._cgroups.thaw(container)

    @refusing
    async def pause(self, container: ContainerID, *, frozen: bool) -> None:
        program = self._program_of(container)
        verb = "pause" if frozen else "resume"
        code, said = await run([program, "--root", self._state, verb, container])
        if code:
            raise HostRefused(f"cannot {verb} container {container}: {said}")

    @refusing
    async def delete(self, container: ContainerID) -> None:
        """Does without the runtime's own `delete`, a program of 5 to 7 ms: kill, then remove what it left."""
        folder = self._folders.of(container)
        await self._end(container, folder)
        await self._cgroups.remove(container)
        _remove_tree(f"{self._state}/{container}")
        # Last, for it is what `remembered` finds: a delete that was cut short is found again.
        _remove_tree(folder.path)

    @refusing
    async def exited(self, container: ContainerID) -> Exit:
        folder = self._folders.of(container)
        # conmon writes the exit code once all output is out. If it was killed, the process is all there is.
        await _ended(conmon_of(folder))
        await _ended(self._held_init(container))
        code = folder.exit_code()
        return Exit(container, _UNKNOWN if code is None else code, self._cgroups.out_of_memory(container))

    async def remembered(self) -> Iterable[ContainerID]:
        return {*self._folders.all(), *states(self._state)}

    async def alive(self, container: ContainerID) -> int | None:
        if waiting(self._state, container):
            return None
        with self._init(container) as init:
            return init.pid if init else None

    @refusing
    async def attach(self, container: ContainerID) -> AttachedStream:
        return connect(self._folders.of(container))

    @refusing
    async def execute(
        self, container: ContainerID, process: ProcessSpec, *, attach: bool, stdin: bool
    ) -> RunningExecution:
        folder = self._folders.of(container)
        program = self._program_of(container)
        config = folder.read_config()
        own = folder.exec(secrets.token_hex(8))
        wanted = execution(process, _account(config.root.path, process.user), config.process, machine.look())
        arguments = self._conmon.exec_arguments(
            own, container, program, tty=process.tty, stdin=stdin, attach=attach
        )
        running = await self._executed(arguments, own, wanted, attach=attach)
        self._executions.add(running)
        running.end.add_done_callback(lambda _: self._executions.discard(running))
        return running

    def resize(self, container: ContainerID, height: int, width: int) -> None:
        resize(self._folders.of(container), height, width)

    def processes(self, container: ContainerID) -> Sequence[int]:
        return self._cgroups.processes(container)

    @refusing
    async def limit(self, container: ContainerID, limits: Limits) -> None:
        wanted = changed_resources(limits, swap_accounting=machine.look().swap_accounting)
        path = self._folders.of(container).write_limits(wanted)
        program = self._program_of(container)
        code, said = await run([program, "--root", self._state, "update", "-r", path, container])
        if code and _UNFIT in said:
            raise InvalidParameter(last_words(said))
        if code:
            raise HostRefused(last_words(said))

    def usage(self, container: ContainerID, *, shares_host_network: bool) -> Usage | None:
        with self._init(container) as init:
            if init is None:
                return None
            groups = self._cgroups.of(container)
            return usage(groups, init.pid, shares_host_network=shares_host_network)

    def _spec(self, bundle: Bundle) -> Config:
        wanted = bundle.container.spec
        host = machine.look()
        if wanted.privileged:
            host = replace(host, devices=tuple(machine.devices()))
        confinement = wanted.confinement
        if confinement.devices:
            host = replace(host, wished=tuple(machine.wished(confinement.devices)))
        if confinement.init:
            host = replace(host, init=machine.init_program())
        who = _account(bundle.rootfs, wanted.process.user, confinement.groups)
        return spec(bundle, who, host, cgroup=self._cgroups.parent)

    async def _created(self, arguments: list[str], folder: Folder) -> int:
        with closing(Talk(arguments, folder, attach=False)) as talk:
            await talk.forked()
            reply = await talk.started()
        if reply.data < 0:
            raise creation_failed(reply.message)
        return reply.data

    async def _executed(
        self, arguments: list[str], folder: Folder, wanted: Process, *, attach: bool
    ) -> RunningExecution:
        stream = None
        with ExitStack() as undo:
            undo.callback(_remove_tree, folder.path)
            folder.make()
            folder.write_config(wanted)
            with closing(Talk(arguments, folder, attach=attach)) as talk:
                await talk.forked()
                if attach and await talk.socket_listens():
                    stream = connect(folder)
                    undo.callback(stream.close)
                    talk.go_on()
                reply = await talk.started()
            if reply.data < 0:
                raise exec_failed(reply.message)
            undo.pop_all()
        return RunningExecution(folder, reply.data, stream)

    def _program_of(self, container: ContainerID) -> str:
        try:
            return self._folders.of(container).read_program()
        except FileNotFoundError as error:
            raise HostRefused(f"container {container} is not running") from error

    async def _end(self, container: ContainerID, folder: Folder) -> None:
        """Kill all that is in the container; conmons see that, and leave by themselves."""
        if victims := self._cgroups.processes(container):
            for pid in victims:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._cgroups.thaw(container)
            await _outlive(self._held_init(container))
        for served in (folder, *folder.execs()):
            await _outlive(conmon_of(served))

    @contextmanager
    def _init(self, container: ContainerID) -> Iterator[Held | None]:
        init = self._held_init(container)
        try:
            yield init
        finally:
            if init:
                init.close()

    def _held_init(self, container: ContainerID) -> Held | None:
        """The container's first process: only one in the container's own control group is taken for it."""
        return hold(self._folders.of(container).pid(), evidence="cgroup", mark=f"/{container}\n")


async def _ended(process: Held | None) -> None:
    if process:
        with process:
            await process.ended()


async def _outlive(process: Held | None) -> None:
    if process is None:
        return
    with process:
        try:
            await asyncio.wait_for(process.ended(), _GRACE_S)
        except TimeoutError:
            process.send(signal.SIGKILL)
            await asyncio.wait_for(process.ended(), _GRACE_S)


def _account(rootfs: str, user: str, groups: Sequence[str] = ()) -> Account:
    passwd, group = image_files.read(rootfs, "/etc/passwd"), image_files.read(rootfs, "/etc/group")
    return joined(account(user, passwd=passwd, group=group), groups, group=group)


def _remove_tree(path: str) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def _provide(bind: Bind) -> None:
    if Path(bind.source).exists():
        return
    if not bind.create_source:
        raise InvalidParameter(
            f'invalid mount config for type "bind": bind source path does not exist: {bind.source}'
        )
    Path(bind.source).mkdir(parents=True)
