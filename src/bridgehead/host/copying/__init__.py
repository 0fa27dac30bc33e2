"""Files of containers, in and out: `docker cp`, `docker export`, `docker diff`."""
