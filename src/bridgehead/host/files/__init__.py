"""Folders, small text files and kernel settings: what we write on the machine's file systems."""
