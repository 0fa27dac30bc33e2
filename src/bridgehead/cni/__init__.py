"""A CNI plugin: other container engines (podman, containerd, CRI-O) join our networks by the daemon's socket.

A new process for every act, so what it imports counts: records are `NamedTuple`s, as `dataclasses` costs more
to import than the rest of the plugin. Source: the Container Network Interface specification, 0.3.0 to 1.1.0.
"""
