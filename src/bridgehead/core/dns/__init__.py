"""Names inside containers: the wire format, what is called what, and what to answer. No sockets."""
