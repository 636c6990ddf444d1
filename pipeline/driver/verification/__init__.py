"""`fanbeam verify`: a version is compared with its manifest, its sources and a second rendering."""
