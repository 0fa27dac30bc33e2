"""What each driver's networks and endpoints mean in kernel objects. A driver explains; it never acts."""
