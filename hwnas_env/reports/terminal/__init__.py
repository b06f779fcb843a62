"""Tables, lists and progress for the terminal."""
