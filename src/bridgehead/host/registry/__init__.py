"""Speaks to image registries over HTTP."""
