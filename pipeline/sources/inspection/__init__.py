"""Behind `fanbeam init`: look at data, guess its columns, write a config that runs."""
