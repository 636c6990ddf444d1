"""What is true of volumes whichever library moves them."""
