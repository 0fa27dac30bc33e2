"""Which OCI runtime to use: the fastest that works on this host, found by making a container with it."""

import secrets
import shutil
import tempfile
from pathlib import Path

import msgspec

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.oci import config
from bridgehead.host.runtime.processes import run

_BEST_FIRST = ("crun", "runc")


def located(name: str) -> str:
    """The path of the runtime the user named; conmon takes nothing less.

    Raises:
        HostRefused: it is not installed.
    """
    if program := shutil.which(name):
        return program
    raise HostRefused(f"OCI runtime {name} is not installed")


async def choose(cgroup: str) -> str:
    """The path of a runtime that works.

    Raises:
        HostRefused: none does; with what each of them said.
    """
    complaints = []
    for name in _BEST_FIRST:
        program = shutil.which(name)
        if program is None:
            complaints.append(f"{name} is not installed")
            continue
        complaint = await _trial(program, cgroup)
        if not complaint:
            return program
        complaints.append(f"{name}: {complaint}")
    raise HostRefused(f"no OCI runtime works here: {'; '.join(complaints)}")


async def _trial(program: str, cgroup: str) -> str:
    """What it complains of, or nothing."""
    name = f"trial-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="bridgehead-") as folder:
        _write_bundle(folder, f"{cgroup}/{name}")
        state = f"{folder}/state"
        code, said = await run([program, "--root", state, "create", "--bundle", folder, name])
        if code == 0:
            await run([program, "--root", state, "delete", "--force", name])
            return ""
        return said or f"it ended with {code}"


def _write_bundle(folder: str, cgroup: str) -> None:
    Path(folder, "rootfs/proc").mkdir(parents=True)
    # It is never run, only looked for.
    Path(folder, "rootfs/true").touch(0o755)
    kinds = ("mount", "uts", "ipc", "pid", "network")
    wanted = config.Config(
        oci_version=config.VERSION,
        process=config.Process(
            args=("/true",), env=(), cwd="/", user=config.User(0, 0), capabilities=config.Capabilities()
        ),
        root=config.Root(f"{folder}/rootfs"),
        hostname="trial",
        mounts=(config.Mount("/proc", "proc", "proc"),),
        linux=config.Linux(
            cgroups_path=cgroup,
            namespaces=tuple(config.Namespace(kind) for kind in kinds),
            resources=config.Resources(pids=config.Pids(64)),
        ),
    )
    Path(folder, "config.json").write_bytes(msgspec.json.encode(wanted))
