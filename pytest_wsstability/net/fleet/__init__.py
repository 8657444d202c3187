"""Many connections held as one, in this process or in workers of their own."""
