"""Pure parts: money, months, the identity of URLs, hash trees, proofs, pages of others.

No tables, no settings, no clock of the instance. Any room may call them.
"""
