"""The commands, a module for each kind of thing they work on; `shell` is what they share."""
