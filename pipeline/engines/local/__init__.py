"""Worker processes of this machine: tasks in, results out; a worker that dies or hangs costs its record only."""
