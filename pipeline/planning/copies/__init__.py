"""How many copies each training record gets."""
