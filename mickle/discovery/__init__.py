"""Discovery: the catalogue, its search and its orders. It only reads.

Deeds: catalogue. Called by pages and, later, by the API and feeds.
"""
