"""What people read: tables of runs, environments and networks."""
