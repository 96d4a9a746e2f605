"""What each mode of a replay does with an item (`replay.engine.Work`)."""
