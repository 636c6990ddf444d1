"""Video files and frames at a constant rate, with their sound track."""
