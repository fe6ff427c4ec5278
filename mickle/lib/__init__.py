"""Pure parts: money, months, the identity of URLs, hash trees and proofs.

No tables, no settings, no clock. Any room may call them.
"""
