"""The commands by name, with the one sentence that `mickle --help` says about each."""

COMMANDS = {
    "run": "Serve everything in one process: pages, buttons, counts, month ends.",
    "worker": "Do what the clock makes due, in a process of its own.",
    "demo": "Fill an empty instance with a believable world of play money.",
    "load": "Read a described world from a JSON file, all of it or nothing.",
    "top-up": "Book money that arrived for a member.",
    "balance": "Say what a member has to give, has set aside and has earned.",
    "statement": "Say what became of a member's coin in a month, share by share.",
    "thank": "Nod at the projects a piece of software stands on.",
    "fetch": "Read a page as the instance would, or say why it is not read.",
    "close-due": "Close the months that have ended and give the subscriptions' nods.",
    "settle": "Settle a month that has ended: budgets become shares.",
    "charges": "List what members were asked for after a month and have not paid yet.",
    "archive": "Write a settled month to files, and compute it again from them.",
    "nods-return": "Put the nods of a month back that have left for its archive.",
    "verify": "Check the proof of a settled month, or of one's shares in it, without an instance.",
    "identify": "Say which thing an address is, and by which rule, without an instance.",
    "pay-out": "Write the file that tells the bank whom to pay.",
    "audit": "Recompute the books and name each invariant that was checked.",
    "move": "Move an instance from its SQLite to the PostgreSQL that DATABASE_URL names.",
    "clock": "Show the clock, or move the clock of a demo or test instance forward.",
}

# Those that ask no instance: they read no settings, make no folder and open no database.
OFFLINE = frozenset({"identify", "verify"})

# Those that an instance is begun with; of any other, one that was not there says so.
BEGIN = frozenset({"run", "demo", "load", "move"})
