"""What every test on a real kernel stands on: machines in a box, daemons on them, and the docker client."""
