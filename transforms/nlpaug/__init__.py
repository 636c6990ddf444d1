"""nlpaug: texts and sounds."""
