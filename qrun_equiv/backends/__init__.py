"""Many items on many processes or machines: each gets its result once, whatever dies."""
