"""Pure parts: money, months, the identity of URLs.

No tables, no settings, no clock. Any room may call them.
"""
