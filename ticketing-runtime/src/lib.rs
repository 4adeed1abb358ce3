//! The engine that runs the domain: lanes, commits, deadlines, relay and projector.
