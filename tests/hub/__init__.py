"""Tests of `hub`: the way in, the way out, and the promises between them."""
