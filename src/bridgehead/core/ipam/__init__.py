"""Which subnets and addresses are given out. There is no allocator state: what is taken is read off the
snapshot, so nothing can leak or be handed out twice, and a release is the record's disappearance."""
