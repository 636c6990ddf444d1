"""A shard's way: records are read, multiplied, augmented, checked and written. In: a task; out: a receipt."""
