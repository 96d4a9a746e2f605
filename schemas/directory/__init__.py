"""The dated directory of agency codes: what a code names on a day, what goes on in its place, and how it reads in the other form."""

from schemas.directory.book import Directory, Standing, Succession
from schemas.directory.convert import Basis, Conversion
from schemas.directory.entries import UNKNOWN_SUCCESSOR, Entry
from schemas.directory.overlays import Overlay

__all__ = ["UNKNOWN_SUCCESSOR", "Basis", "Conversion", "Directory", "Entry", "Overlay", "Standing", "Succession"]
