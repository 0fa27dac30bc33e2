"""Network namespaces as files: making, removing and entering them."""
