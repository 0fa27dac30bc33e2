"""A runtime's complaint turned into the error Docker's command line expects: exit code 127, 126 or 125."""

import re

from bridgehead.core.model.errors import CommandNotExecutable, CommandNotFound, HostRefused

_LOGGED = re.compile(r'msg="((?:[^"\\]|\\.)*)"')
_NOT_FOUND = ("executable file not found", "executable file `")
_MISSING = "no such file or directory"
_NOT_EXECUTABLE = ("permission denied", "is a directory", "exec format error")


def creation_failed(report: str) -> HostRefused:
    reason = last_words(report)
    return _kind(reason)(f"failed to create shim task: OCI runtime create failed: {reason}: unknown")


def exec_failed(report: str) -> HostRefused:
    reason = last_words(report)
    prefix = "" if reason.startswith("exec failed") else "exec failed: "
    return _kind(reason)(f"OCI runtime exec failed: {prefix}{reason}: unknown")


def last_words(report: str) -> str:
    """The last thing the runtime logged, or all it said."""
    logged: list[str] = _LOGGED.findall(report)
    text = logged[-1].replace('\\"', '"').replace("\\\\", "\\") if logged else report
    return " ".join(text.split()) or "the runtime gave no reason"


def _kind(reason: str) -> type[HostRefused]:
    if any(words in reason for words in _NOT_FOUND):
        return CommandNotFound
    # Only a complaint about `exec` is about the command: mounts and namespaces fail in the same words.
    if "exec" not in reason.replace("exec failed", ""):
        return HostRefused
    if _MISSING in reason and "stat " in reason:
        return CommandNotFound
    if any(words in reason for words in _NOT_EXECUTABLE):
        return CommandNotExecutable
    return HostRefused
