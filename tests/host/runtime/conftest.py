"""A yard to run real containers in: network and mounts of its own, control groups of its own."""

import io
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridgehead.core.model.container import Container, ContainerSpec, ProcessSpec
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.process import Bundle, Exit, LogLine
from bridgehead.host.runtime.attach import AttachedStream
from bridgehead.host.runtime.cgroups import Cgroups
from bridgehead.host.runtime.logs import ConmonLogs
from bridgehead.host.runtime.runtime import ConmonRuntime
from tests.host.space import make_namespace, own_space
from tests.support.image import archive

_PROCESS = frozenset(ProcessSpec.__dataclass_fields__) - {"argv", "privileged"}


@dataclass
class Yard:
    folder: Path
    cgroup: str
    made: list[ContainerID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = self.new_runtime()
        self.logs = ConmonLogs(str(self.folder / "containers"), str(self.folder / "bundles"))

    def new_runtime(self) -> ConmonRuntime:
        return ConmonRuntime(
            str(self.folder / "bundles"), str(self.folder / "state"), "runc", cgroup=self.cgroup
        )

    def bundle(self, *argv: str, namespace: str | None = None, files: Any = None, **wishes: Any) -> Bundle:
        container = ContainerID(secrets.token_hex(32))
        self.made.append(container)
        rootfs = self.folder / "containers" / container / "rootfs"
        rootfs.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(archive())) as tar:
            tar.extractall(rootfs, filter="fully_trusted")
        process = {name: wishes.pop(name) for name in _PROCESS & set(wishes)}
        spec = ContainerSpec(process=ProcessSpec(argv=argv, **process), hostname="box", **wishes)
        record = Container(container, "name", "", ImageID("sha256:0"), "image", spec)
        return Bundle(record, str(rootfs), namespace, files or {})

    async def started(self, *argv: str, **wishes: Any) -> ContainerID:
        bundle = self.bundle(*argv, **wishes)
        await self.runtime.create(bundle)
        await self.runtime.start(bundle.container.id)
        return bundle.container.id

    async def ran(self, *argv: str, **wishes: Any) -> tuple[str, str, Exit]:
        """What it printed, on both streams, and how it ended."""
        bundle = self.bundle(*argv, **wishes)
        container = bundle.container.id
        await self.runtime.create(bundle)
        stream = await self.runtime.attach(container)
        await self.runtime.start(container)
        out, err = await everything(stream)
        return out, err, await self.runtime.exited(container)

    async def said(self, container: ContainerID, **wishes: Any) -> list[LogLine]:
        wanted = {"follow": False, "tail": None, "since": 0.0, "until": 0.0, **wishes}
        return [line async for line in self.logs.read(container, **wanted)]

    def close(self) -> None:
        for top in Cgroups("").of(ContainerID(self.cgroup.lstrip("/"))):
            Path(top).rmdir()
        shutil.rmtree(self.folder / "containers", ignore_errors=True)

    def written(self, container: ContainerID, *names: str) -> set[str]:
        """What the container's control groups hold in files of these names."""
        folders = [Path(group) for group in self.groups() if group.endswith(container)]
        files = [folder / name for folder in folders for name in names]
        return {file.read_text().strip() for file in files if file.exists()}

    def own_status(self) -> list[str]:
        return Path("/proc/self/status").read_text().splitlines()

    def execs(self, container: ContainerID) -> list[Path]:
        return list((self.folder / "bundles" / container / "oci").glob("exec-*"))

    def traces(self) -> dict[str, object]:
        """All that a container may leave behind outside the engine's folders."""
        return {
            "groups": self.groups(),
            "processes": [path for path in Path("/proc").glob("[0-9]*/cmdline") if self._is_ours(path)],
            "mounts": Path("/proc/self/mounts").read_text(),
            "descriptors": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
            "state": [path.name for path in self.folder.glob("state/*")],
            "bundles": [path.name for path in self.folder.glob("bundles/*/*")],
        }

    def _is_ours(self, cmdline: Path) -> bool:
        with suppress(OSError):
            return str(self.folder) in cmdline.read_text()
        return False

    def groups(self) -> list[str]:
        patterns = (f"*{self.cgroup}/*", f"{self.cgroup.lstrip('/')}/*")  # one hierarchy a controller, or one
        found = (path for pattern in patterns for path in Path("/sys/fs/cgroup").glob(pattern))
        return [str(path) for path in found if path.is_dir()]


async def everything(stream: AttachedStream) -> tuple[str, str]:
    output = {1: b"", 2: b""}
    while piece := await stream.read():
        output[piece[0]] += piece[1]
    stream.close()
    return output[1].decode(), output[2].decode()


@pytest.fixture(scope="module", autouse=True)
def _space() -> Iterator[None]:
    with own_space():
        yield


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    yard = Yard(tmp_path, f"/bridgehead-test-{os.getpid()}")
    yield yard
    for container in yard.made:
        await yard.runtime.delete(container)
    yard.close()


@pytest.fixture
def namespace_number(namespace: str) -> str:
    """As a process inside reads it from /proc/self/ns/net."""
    return f"net:[{Path(namespace).stat().st_ino}]"


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[str]:
    path = make_namespace(tmp_path / "namespace")
    yield path
    subprocess.run(["umount", path], check=True)
