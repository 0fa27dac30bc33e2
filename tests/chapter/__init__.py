"""Sections 1.2, 2 and 3 of the book chapter, played with the docker command line word for word."""
