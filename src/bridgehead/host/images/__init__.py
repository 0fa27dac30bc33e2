"""Images on disk: archives from strangers become layer folders."""
