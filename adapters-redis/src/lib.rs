//! What expires, in Redis: sessions, one-time tokens, challenges, sealed OAuth tokens, rate limits.
