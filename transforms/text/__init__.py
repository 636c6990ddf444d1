"""Texts as words, separators and sentences: how they are split, changed and put together again."""
