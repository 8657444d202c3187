"""The commands of `wsstability`: a file each, with its options, what it does and what it prints."""
