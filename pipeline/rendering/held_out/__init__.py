"""What validation and test hold, which no training copy may equal."""
