"""The tamper harness: thousands of seeded cases against the store of a real hub, each of which fsck must find."""
