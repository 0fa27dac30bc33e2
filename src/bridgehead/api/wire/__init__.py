"""JSON as clients write and read it, to and from the model. Pure: no request, no engine."""
