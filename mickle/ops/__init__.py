"""The command `mickle`: what an operator does from a terminal, and the one process that serves.

Deeds: run, load, demo, top-up, settle, audit, statement, balance, pay-out, thank, clock, close-due.
A command reads its arguments, calls the verbs of the rooms below and writes the answer; it owns no
table. The entry is `mickle.ops.main.main`.
"""
