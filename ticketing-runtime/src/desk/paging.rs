//! Turns cursors, which mark where the next page of a list begins, into text and back. A cursor continues only the
//! list that it came from. Callers pass the text on without reading it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use ticketing_ports::vocabulary::paging::Cursor;
use uuid::Uuid;

/// The version of the format of cursors. It is the first byte of every cursor, before the bytes become text.
const VERSION: u8 = 1;

/// A list that is returned page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagedList {
    /// Events on sale.
    Events,
    /// The reservations of a customer.
    Reservations,
    /// The payments of a customer.
    Payments,
    /// The purchases of a customer.
    Purchases,
}

impl PagedList {
    const fn letter(self) -> u8 {
        match self {
            Self::Events => b'e',
            Self::Reservations => b'r',
            Self::Payments => b'p',
            Self::Purchases => b's',
        }
    }

    /// Writes a cursor of this list as text: 30 bytes (format, list, seconds and nanoseconds of the time, id) in
    /// base64url without padding.
    pub fn cursor_text(self, cursor: Cursor) -> String {
        let mut bytes = vec![VERSION, self.letter()];
        bytes.extend(cursor.at.timestamp().to_be_bytes());
        bytes.extend(cursor.at.timestamp_subsec_nanos().to_be_bytes());
        bytes.extend(cursor.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list from its text. `None` if the text is not a cursor of this list.
    pub fn parse_cursor(self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (seconds, rest) = rest.split_first_chunk::<8>()?;
        let (nanos, id) = rest.split_first_chunk::<4>()?;
        if *head != [VERSION, self.letter()] {
            return None;
        }
        let at = DateTime::from_timestamp(i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanos))?;
        let in_a_store = (EARLIEST..=LATEST).contains(&at.timestamp());
        in_a_store.then_some(Cursor {
            at,
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

/// The first second of the year 1 and the last second of the year 9999, in Unix seconds. No row has a time outside
/// this span, so a cursor with such a time is refused before a store is asked.
const EARLIEST: i64 = -62_135_596_800;
const LATEST: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            at: DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap(),
            id: Uuid::from_u128(7),
        }
    }

    #[test]
    fn a_cursor_survives_the_trip_through_its_text_and_is_good_for_its_own_list_only() {
        let text = PagedList::Events.cursor_text(cursor());
        assert_eq!(PagedList::Events.parse_cursor(&text), Some(cursor()));
        for other in [PagedList::Reservations, PagedList::Payments, PagedList::Purchases] {
            assert_eq!(other.parse_cursor(&text), None, "{other:?}");
        }
    }

    #[test]
    fn a_text_that_no_list_has_returned_is_no_cursor() {
        let text = PagedList::Events.cursor_text(cursor());
        let far = Cursor {
            at: DateTime::from_timestamp(LATEST + 1, 0).unwrap(),
            ..cursor()
        };
        let far = PagedList::Events.cursor_text(far);
        for text in ["", "x", "AAAA", &text[1..], &text[..36], &format!("{text}AAAA"), &far] {
            assert_eq!(PagedList::Events.parse_cursor(text), None, "{text:?}");
        }
    }
}
