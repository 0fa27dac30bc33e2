"""The machine read and checked once at start: its resolver settings, its routes, its clock and its dice."""
