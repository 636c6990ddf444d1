"""The command line: each command calls one module of `driver`, and shows what comes back."""
