"""Who a kernel object is: its kind, and what tells it from others of the kind on this machine."""

Key = tuple[str, ...]
