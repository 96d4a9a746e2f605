"""Programs that are handed out by themselves: they import nothing of this distribution."""
