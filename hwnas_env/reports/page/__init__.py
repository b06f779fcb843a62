"""A page on records: what is estimated, its figures, its tables, its words."""
