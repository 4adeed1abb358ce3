//! Read your writes: every write answers a token, and a read that carries it sees that write.

use ticketing_ports::streams::Position;

/// How much of the log the writer has seen. Opaque to callers, printed as `p1.42`.
///
/// Positions are gapless and in commit order, so one number stands for every stream a write touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ConsistencyToken(Position);

impl ConsistencyToken {
    pub fn new(position: Position) -> Self {
        Self(position)
    }

    pub fn position(self) -> Position {
        self.0
    }

    pub fn parse(text: &str) -> Option<Self> {
        let position = text.strip_prefix("p1.")?;
        let canonical = !position.is_empty() && position.bytes().all(|b| b.is_ascii_digit());
        canonical
            .then(|| position.parse().ok())
            .flatten()
            .map(|p| Self(Position(p)))
    }
}

impl std::fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p1.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_trip_through_its_text_and_nothing_else_parses() {
        let token = ConsistencyToken::new(Position(42));
        assert_eq!(ConsistencyToken::parse(&token.to_string()), Some(token));
        for text in ["", "42", "p1.", "p1.+4", "p1.-1", "p2.42", "p1.99999999999999999999"] {
            assert_eq!(ConsistencyToken::parse(text), None, "{text:?}");
        }
    }
}
