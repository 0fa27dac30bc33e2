"""Standing beside firewalld: our bridges in a zone of its own that accepts, asked for over the system bus."""
