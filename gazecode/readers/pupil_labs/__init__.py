"""Pupil Labs: Core (Player exports), Neon and Invisible (cloud exports, native streams)."""
