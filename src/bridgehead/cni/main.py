"""One act of a runtime's, from the environment and standard input to standard output and an exit code."""

import json
import os
import sys
from collections.abc import Mapping

from bridgehead.cni.failures import INTERNAL, Failure
from bridgehead.cni.request import VERSIONS, Request, parse, version_of


def main() -> int:
    text = sys.stdin.buffer.read()
    code, answer = act(os.environ, text)
    if answer is not None:
        sys.stdout.write(json.dumps(answer) + "\n")
    return code


def act(environment: Mapping[str, str], text: bytes) -> tuple[int, Mapping[str, object] | None]:
    """The exit code, and what is written to standard output."""
    try:
        return 0, _answer(parse(environment, text))
    except Failure as failure:
        return 1, _error(version_of(text), failure)
    except Exception as error:  # noqa: BLE001 - a runtime reads JSON, not a traceback
        return 1, _error(version_of(text), Failure(INTERNAL, f"internal error: {error!r}"))


def _error(version: str, failure: Failure) -> Mapping[str, object]:
    told = {"cniVersion": version, "code": failure.code, "msg": failure.message}
    return {**told, "details": failure.details} if failure.details else told


def _answer(request: Request) -> Mapping[str, object] | None:
    if request.command == "VERSION":
        return {"cniVersion": request.version, "supportedVersions": list(VERSIONS)}

    from bridgehead.cni.configuration import configuration
    from bridgehead.cni.door import Door
    from bridgehead.cni.sandboxes import Sandboxes

    wanted = configuration(request)
    sandboxes = Sandboxes(Door(wanted.socket))
    match request.command:
        case "ADD":
            from bridgehead.cni.attaching import add

            return add(request, wanted, sandboxes)
        case "DEL":
            from bridgehead.cni.detaching import delete

            delete(request, wanted, sandboxes)
        case "GC":
            from bridgehead.cni.detaching import collect

            collect(request, wanted, sandboxes)
        case "CHECK":
            from bridgehead.cni.checking import check

            check(request, wanted, sandboxes)
        case "STATUS":
            from bridgehead.cni.checking import status

            status(wanted, sandboxes)
        case _:
            raise AssertionError(request.command)
    return None
