"""Containers to describe."""

from typing import Any

from bridgehead.core.model.container import Container, ContainerSpec, ProcessSpec
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.process import Bundle
from bridgehead.core.oci.config import User
from bridgehead.core.oci.users import Account

ROOT = Account(User(0, 0), "/root")


def bundle(
    *,
    process: ProcessSpec | None = None,
    namespace: str | None = "/run/ns/a",
    files: Any = None,
    borrowed: Any = None,
    **spec: Any,
) -> Bundle:
    wanted = ContainerSpec(process=process or ProcessSpec(argv=("true",)), hostname="box", **spec)
    container = Container(ContainerID("c0"), "name", "", ImageID("sha256:0"), "image", wanted)
    return Bundle(container, "/containers/c0/rootfs", namespace, files or {}, borrowed=borrowed or {})
