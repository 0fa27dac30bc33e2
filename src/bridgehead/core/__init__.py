"""The thinking: pure functions over immutable values. No socket, clock, file, thread or log in here."""
