"""Everything that `fanbeam check` verifies before a run: config, input and libraries in, problems and warnings out."""
