"""What earlier versions decided, and what has moved since."""
