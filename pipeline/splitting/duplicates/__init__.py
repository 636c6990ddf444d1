"""Records with the same or nearly the same content, which stay in one split."""
