"""Whether labels of copies are where their content is: painted probes go through the same steps."""
