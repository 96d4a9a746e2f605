"""Putting it together: the way of a message, from the faces to the adapters, around one transaction."""
