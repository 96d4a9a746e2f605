"""Is what a dossier message says what happened? Checks for the repairs that senders are known to make [C facts §2.4].

`check.check` is the one call. Each finding is a warning with a code of its own: the hub reports, it never repairs, and a suspicion is not a
proof. `signs.toml` holds what is looked for.
"""
