"""DEL and GC: attachments end, and with a container's last one its sandbox. What is gone is no error."""

from collections.abc import Mapping

from bridgehead.cni.configuration import Configuration
from bridgehead.cni.failures import INVALID_CONFIGURATION, Failure
from bridgehead.cni.request import Attachment, Fields, Request
from bridgehead.cni.sandboxes import Sandbox, Sandboxes

VALID_ATTACHMENTS = "cni.dev/valid-attachments"


def delete(request: Request, wanted: Configuration, sandboxes: Sandboxes) -> None:
    sandbox = sandboxes.of(request.container)
    if sandbox is not None:
        _end(sandbox, {request.attachment}, wanted.name, sandboxes)


def collect(request: Request, wanted: Configuration, sandboxes: Sandboxes) -> None:
    """End every attachment of this configuration that the runtime does not know any more.

    Raises:
        Failure: the runtime did not say which ones it knows. Or one would not end, after all were tried.
    """
    valid = valid_attachments(request.fields)
    failed: Failure | None = None
    for sandbox in sandboxes.all():
        stale = {sandbox.attachment(joined) for joined in sandbox.joined} - valid
        try:
            _end(sandbox, stale, wanted.name, sandboxes)
        except Failure as error:
            failed = failed or error
    if failed is not None:
        raise failed


def valid_attachments(fields: Fields) -> set[Attachment]:
    """
    Raises:
        Failure: there is no such list. Nothing is removed on the word of a runtime that did not give it.
    """
    entries = fields.get(VALID_ATTACHMENTS)
    if not isinstance(entries, list):
        raise Failure(INVALID_CONFIGURATION, f"GC needs {VALID_ATTACHMENTS}, a list")
    return {_attachment(entry) for entry in entries}


def _attachment(entry: object) -> Attachment:
    if isinstance(entry, Mapping):
        match entry.get("containerID"), entry.get("ifname"):
            case str(container), str(interface):
                return Attachment(container, interface)
            case _:
                pass
    raise Failure(INVALID_CONFIGURATION, f"{VALID_ATTACHMENTS} has {entry!r}, which is no attachment")


def _end(sandbox: Sandbox, ending: set[Attachment], configuration: str, sandboxes: Sandboxes) -> None:
    ours = [
        joined
        for joined in sandbox.joined
        if joined.configuration == configuration and sandbox.attachment(joined) in ending
    ]
    for joined in ours:
        sandboxes.leave(sandbox, joined)
    if ours or not sandbox.joined:
        sandboxes.remove_if_alone(sandbox)
