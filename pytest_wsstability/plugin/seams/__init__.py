"""The private parts of pytest and its plugins that are touched: a file a library, nowhere else."""
