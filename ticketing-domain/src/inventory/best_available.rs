//! Picks the best free seats of a numbered section.
