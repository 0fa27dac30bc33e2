"""Where one container's runtime files lie, and what they say. This room has no other memory."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridgehead.core.model.ids import ContainerID
from bridgehead.core.oci.config import Config, Process, Resources, Running


@dataclass(frozen=True, slots=True)
class Folder:
    """`path` is an OCI bundle, which conmon adds its own files to; an exec has one of its own."""

    path: str
    container: ContainerID
    name: str  # what conmon is told apart by: the container's id, or the exec's

    @property
    def config(self) -> str:
        return f"{self.path}/config.json"

    @property
    def pidfile(self) -> str:
        return f"{self.path}/pidfile"

    @property
    def conmon_pidfile(self) -> str:
        return f"{self.path}/conmon.pid"

    @property
    def exits(self) -> str:
        return f"{self.path}/exits"

    @property
    def errors(self) -> str:
        return f"{self.path}/conmon.err"

    @property
    def resizing(self) -> str:
        return f"{self.path}/ctl"

    def exists(self) -> bool:
        return Path(self.path).exists()

    def make(self) -> None:
        Path(self.exits).mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_config(self, config: Config | Process) -> None:
        Path(self.config).write_bytes(msgspec.json.encode(config))

    def write_limits(self, resources: Resources) -> str:
        """The path of a file that a runtime's `update` reads."""
        path = f"{self.path}/limits.json"
        Path(path).write_bytes(msgspec.json.encode(resources))
        return path

    def read_config(self) -> Running:
        return msgspec.json.decode(Path(self.config).read_bytes(), type=Running)

    def write_program(self, program: str) -> None:
        """The runtime that made the container has to be the one that execs in it."""
        Path(self.path, "runtime").write_text(program, "utf-8")

    def read_program(self) -> str:
        return Path(self.path, "runtime").read_text("utf-8")

    def read_errors(self) -> str:
        return Path(self.errors).read_text("utf-8", errors="replace").strip()

    def pid(self) -> int | None:
        return _number(self.pidfile)

    def conmon_pid(self) -> int | None:
        return _number(self.conmon_pidfile)

    def exit_code(self) -> int | None:
        return _number(f"{self.exits}/{self.container}")

    def execs(self) -> list["Folder"]:
        return [
            Folder(str(entry), self.container, entry.name.removeprefix(_EXEC))
            for entry in _entries(self.path)
            if entry.name.startswith(_EXEC)
        ]

    def exec(self, name: str) -> "Folder":
        return Folder(f"{self.path}/{_EXEC}{name}", self.container, name)


LOG = "container.log"  # beside the root file system, where it outlives the container and a reboot
_EXEC = "exec-"


@dataclass(frozen=True, slots=True)
class Folders:
    """`bundles` belongs to the engine; ours is one folder inside each of its folders."""

    bundles: str

    def of(self, container: ContainerID) -> Folder:
        return Folder(f"{self.bundles}/{container}/oci", container, container)

    def all(self) -> list[ContainerID]:
        return [ContainerID(entry.name) for entry in _entries(self.bundles) if (entry / "oci").is_dir()]


def states(folder: str) -> list[ContainerID]:
    """Containers that the OCI runtime has a folder for."""
    return [ContainerID(entry.name) for entry in _entries(folder)]


def _entries(path: str) -> list[Path]:
    try:
        return list(Path(path).iterdir())
    except FileNotFoundError:
        return []


def _number(path: str) -> int | None:
    try:
        text = Path(path).read_text("ascii")
    except FileNotFoundError:
        return None
    return int(text) if text.strip() else None
