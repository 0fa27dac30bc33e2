"""A container's root: the layers it stands on, and how its files are seen by somebody who is not inside."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Bind, Container
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.oci.mounts import OWN_FILES
from bridgehead.core.plan.objects import OverlayMount


@dataclass(frozen=True, slots=True)
class View:
    """`running`: the root is mounted, and stays so. `files` are ours: path inside -> path outside."""

    root: OverlayMount
    running: bool
    binds: tuple[Bind, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    user: str = ""


def mount(snapshot: Snapshot, container: Container, layout: Layout) -> OverlayMount:
    image = snapshot.images[container.image]
    folder = layout.container(container.id)
    return OverlayMount(
        target=layout.rootfs(container.id),
        lower=tuple(layout.layer(layer) for layer in image.layers),
        upper=f"{folder}/upper",
        work=f"{folder}/work",
    )


def bare(snapshot: Snapshot, container: Container, layout: Layout) -> View:
    """What is the container's own: nothing that is mounted in it."""
    return View(mount(snapshot, container, layout), container.state.status.has_process)


def furnished(snapshot: Snapshot, container: Container, layout: Layout, lender: str) -> View:
    """With what a user mounted, and our own files from the folder `lender`; without tmpfs, as in Docker."""
    spec = container.spec
    own = {path: f"{lender}/{path.rpartition('/')[2]}" for path in OWN_FILES}
    taken = {bind.target for bind in spec.binds}
    return View(
        root=mount(snapshot, container, layout),
        running=container.state.status.has_process,
        binds=spec.binds,
        files={inside: outside for inside, outside in own.items() if inside not in taken},
        read_only=spec.read_only_rootfs,
        user=spec.process.user,
    )
