"""Programs of this repository, run by people and CI."""
