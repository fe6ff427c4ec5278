"""Django's SQLite with a fair turn: the threads of a process write in the order they came."""
