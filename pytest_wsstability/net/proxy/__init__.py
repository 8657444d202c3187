"""Links with faults: between two ends on the virtual network, and in a proxy over TCP."""
