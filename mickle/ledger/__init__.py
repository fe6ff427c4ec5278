"""The books: accounts, immutable transfers between them, and the chain that seals them.

Deeds: post, post_from_select, reverse, seal, audit. Only this room touches its tables; others ask
`ledger.balance` and `ledger.transfers`. Every transfer has a key, and the same key posts once.
"""
