//! Consistency tokens: every write returns one, and a read that carries it shows that write.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::LogId;
use uuid::Uuid;

/// At most how many logs one token names.
const MOST_LOGS: usize = 16;
/// The prefix with which the text of a token begins.
const TEXT: &str = "c1.";
/// The prefix with which the text of a token began before logs had ids. After it comes only a position.
const FORMER_TEXT: &str = "p1.";

/// How far the caller has seen each log. Callers pass the text of the token on without reading it.
///
/// Positions of a log are gapless and in commit order, so one position stands for every stream that a write changed. A
/// token can name several logs, because a caller may talk to several box offices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsistencyToken {
    seen: BTreeMap<LogId, Seen>,
    /// The position of a token in the earlier text format, which names no log. It counts as a position of any log
    /// that the token is compared with.
    anywhere: Option<Position>,
}

/// How far a caller has seen one log. Any position in a newer incarnation is further than every position in an older
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) incarnation: Incarnation,
    pub(super) position: Position,
}

impl ConsistencyToken {
    /// A token for everything in `log` up to this position.
    pub fn new(log: LogIdentity, position: Position) -> Self {
        let seen = Seen {
            incarnation: log.incarnation,
            position,
        };
        Self {
            seen: BTreeMap::from([(log.log, seen)]),
            anywhere: None,
        }
    }

    /// Combines two tokens: for each log, the result keeps the one that is further. If that would be more logs than a
    /// token can name, some logs of `other` are left out.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        for (log, seen) in &other.seen {
            if self.seen.contains_key(log) || self.seen.len() < MOST_LOGS {
                let known = self.seen.entry(*log).or_insert(*seen);
                *known = (*known).max(*seen);
            }
        }
        // If `self` names a log, it is the token of an answer, and `other` may be the token that the request carried.
        // A position without a log in `other` is then dropped, because the answer's own position is later.
        if self.seen.is_empty() {
            self.anywhere = self.anywhere.max(other.anywhere);
        }
        self
    }

    /// How far the caller has seen this log. `None` if the token says nothing about the log.
    pub(super) fn of(&self, log: LogIdentity) -> Option<Seen> {
        let here = |position| Seen {
            incarnation: log.incarnation,
            position,
        };
        self.seen.get(&log.log).copied().max(self.anywhere.map(here))
    }

    /// Reads a token from its text. `None` if the text is not that of a token.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(position) = text.strip_prefix(FORMER_TEXT) {
            let digits = !position.is_empty() && position.bytes().all(|b| b.is_ascii_digit());
            let position = digits.then(|| position.parse().ok()).flatten()?;
            return Some(Self {
                seen: BTreeMap::new(),
                anywhere: Some(Position(position)),
            });
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(TEXT)?).ok()?;
        let mut rest = bytes.as_slice();
        let mut seen = BTreeMap::new();
        while let Some((log, after)) = rest.split_first_chunk::<16>() {
            let log = LogId::new(Uuid::from_bytes(*log));
            let (incarnation, after) = number(after)?;
            let (position, after) = number(after)?;
            let last = seen.last_key_value().map(|(last, _)| *last);
            if last.is_some_and(|last| last >= log) || seen.len() == MOST_LOGS {
                return None;
            }
            let incarnation = Incarnation(incarnation.try_into().ok()?);
            let position = Position(position);
            seen.insert(log, Seen { incarnation, position });
            rest = after;
        }
        (rest.is_empty() && !seen.is_empty()).then_some(Self { seen, anywhere: None })
    }
}

/// The text of a token: `c1.`, then bytes in base64url without padding. For each log, in the order of the log ids,
/// the bytes are the 16 of the log id, then the incarnation and the position, both in LEB128.
impl std::fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let (Some(position), true) = (self.anywhere, self.seen.is_empty()) {
            return write!(f, "{FORMER_TEXT}{position}");
        }
        let mut bytes = Vec::new();
        for (log, seen) in &self.seen {
            bytes.extend(log.uuid().as_bytes());
            write_number(u64::from(seen.incarnation.0), &mut bytes);
            write_number(seen.position.0, &mut bytes);
        }
        write!(f, "{TEXT}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn write_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads a LEB128 number and returns it with the bytes after it. `None` if the number is cut off, too large, or
/// encoded in more bytes than necessary.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (place, byte) in bytes.iter().enumerate() {
        let group = u64::from(byte & 0x7f);
        let shift = u32::try_from(place * 7).ok()?;
        if shift >= u64::BITS || (group << shift) >> shift != group {
            return None;
        }
        number |= group << shift;
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || place == 0;
            return shortest.then(|| (number, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(number: u128, incarnation: u32) -> LogIdentity {
        LogIdentity {
            log: LogId::new(Uuid::from_u128(number)),
            incarnation: Incarnation(incarnation),
        }
    }

    fn token(number: u128, incarnation: u32, position: u64) -> ConsistencyToken {
        ConsistencyToken::new(log(number, incarnation), Position(position))
    }

    fn position(token: &ConsistencyToken, of: LogIdentity) -> Option<(u32, u64)> {
        token.of(of).map(|seen| (seen.incarnation.0, seen.position.0))
    }

    #[test]
    fn a_token_survives_the_trip_through_its_text() {
        for position in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            for incarnation in [1, 2, 200, u32::MAX] {
                let token = token(7, incarnation, position).merge(&token(u128::MAX, 1, 9));
                assert_eq!(ConsistencyToken::parse(&token.to_string()), Some(token));
            }
        }
        let text = token(7, 1, 1_000_000).to_string();
        assert!(text.len() <= 31, "{text}");
    }

    #[test]
    fn a_text_that_no_write_has_returned_is_no_token() {
        let whole = token(7, 1, 300).to_string();
        let cut = &whole[..whole.len() - 2];
        let twice = format!("{whole}{}", &whole[3..]);
        for text in [
            "",
            "42",
            "x",
            "c1.",
            "c2.AAAA",
            "c1.AAAA",
            "c1.!",
            "p1.",
            "p1.+4",
            "p1.-1",
            "p2.42",
            "p1.4 ",
            "p1.99999999999999999999",
            cut,
            &twice,
        ] {
            assert_eq!(ConsistencyToken::parse(text), None, "{text:?}");
        }
        let crowd = (1..=17).flat_map(|log: u128| [log.to_be_bytes().as_slice(), &[1, 1]].concat());
        let crowd = format!("c1.{}", URL_SAFE_NO_PAD.encode(crowd.collect::<Vec<_>>()));
        assert_eq!(ConsistencyToken::parse(&crowd), None, "too many logs");
        let wide = [7_u128.to_be_bytes().as_slice(), &[0x81, 0x00, 1]].concat();
        let wide = format!("c1.{}", URL_SAFE_NO_PAD.encode(wide));
        assert_eq!(
            ConsistencyToken::parse(&wide),
            None,
            "a number that is longer than necessary"
        );
    }

    #[test]
    fn merging_keeps_the_furthest_of_each_log_and_a_later_incarnation_counts_for_more() {
        let merged = token(1, 1, 50).merge(&token(2, 1, 7)).merge(&token(1, 1, 40));
        assert_eq!(position(&merged, log(1, 1)), Some((1, 50)));
        assert_eq!(position(&merged, log(2, 1)), Some((1, 7)));
        assert_eq!(position(&merged, log(3, 1)), None);
        let restored = merged.merge(&token(1, 2, 10));
        assert_eq!(position(&restored, log(1, 2)), Some((2, 10)));
    }

    #[test]
    fn a_token_that_is_full_forgets_none_of_its_own_logs() {
        let full = (1..=16).fold(ConsistencyToken::default(), |all, log| all.merge(&token(log, 1, 1)));
        let own = token(99, 1, 5).merge(&full);
        assert_eq!(position(&own, log(99, 1)), Some((1, 5)));
        assert!(ConsistencyToken::parse(&own.to_string()).is_some());
    }

    #[test]
    fn a_token_of_the_former_text_is_of_whichever_log_reads_it() {
        let former = ConsistencyToken::parse("p1.42").unwrap();
        assert_eq!(former.to_string(), "p1.42");
        assert_eq!(position(&former, log(5, 3)), Some((3, 42)));
        let answered = token(5, 3, 43).merge(&former);
        assert_eq!(answered, token(5, 3, 43));
    }
}
