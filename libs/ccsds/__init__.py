"""CCSDS messages about orbits and re-entries, read strictly: every value typed, or the message refused with a place."""
