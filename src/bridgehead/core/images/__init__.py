"""Images as values: names, configuration, manifests and archive headers. Nothing here opens a file."""
