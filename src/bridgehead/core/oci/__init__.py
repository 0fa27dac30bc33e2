"""What an OCI runtime is told about one container, computed from values alone."""
