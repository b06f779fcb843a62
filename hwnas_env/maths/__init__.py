"""Pure functions on arrays: indicators, scalarisations, statistics, elementary ones."""
