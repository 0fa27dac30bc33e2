"""What libnetwork and its plugins say to each other, as values: what is asked, answered, and makes sense."""
