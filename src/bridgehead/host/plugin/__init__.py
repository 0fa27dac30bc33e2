"""Plugins on this machine and beyond: found in Docker's folders, spoken to over HTTP, never trusted."""
