"""What is written and read back: rows, Parquet files, receipts, manifest, card, leak certificate.

In: samples that are kept, and what was dropped. Out: a version of the dataset.
"""
