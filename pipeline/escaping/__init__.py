"""Text of users (labels, ids, paths, messages) where it is shown: on a terminal, in Markdown, in names of files."""
