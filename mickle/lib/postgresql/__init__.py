"""Django's PostgreSQL without compiled statements: what runs here is short, or runs in ranges."""
