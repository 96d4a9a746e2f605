"""One folder per kind of system: an example profile, and a simulator that speaks the system's real protocol.

A simulator is a program of its own (``python -m adapters.systems.<name>.simulator``). It keeps what it received as files, recognises
repetitions, answers with statuses over the hub's public faces, and can be told to be busy, to refuse, or to fail in the worst moment.
"""
