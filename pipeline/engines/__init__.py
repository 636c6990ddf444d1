"""Where shards are rendered: processes of this machine, or a Beam runner.

In: a job and its plan. Out: receipts of the shards that were written.
"""
