"""The one writer: use cases decide on values, commit intent, and settle the difference with the host."""
