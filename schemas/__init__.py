"""Shapes: the values every other layer speaks, the errors, the formats and their validation. Imports none of ours."""
