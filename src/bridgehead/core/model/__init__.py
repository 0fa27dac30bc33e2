"""The nouns of the Container Network Model, and the one immutable value that holds them all (`Snapshot`)."""
