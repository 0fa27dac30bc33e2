"""Containers as processes: conmon and an OCI runtime, whose only memory is files."""
