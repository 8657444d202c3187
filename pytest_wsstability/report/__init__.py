"""Reports: each file renders the same results in one form."""
