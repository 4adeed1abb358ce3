//! E-mail addresses, which are never printed by accident.

use thiserror::Error;

/// An address as we accept it: ASCII, one `@`, at most 254 characters, lower-cased, nothing folded.
///
/// `Debug` hides the address; use [`EmailAddress::as_str`] where it has to be seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an e-mail address that we can deliver to")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    pub const MAX_LENGTH: usize = 254;

    /// # Errors
    /// For everything that is not one plain ASCII mailbox: separators, control characters, quotes, two `@`.
    pub fn parse(text: &str) -> Result<Self, InvalidEmailAddress> {
        let plain = text.len() <= Self::MAX_LENGTH
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&b));
        let Some((mailbox, host)) = text.split_once('@') else {
            return Err(InvalidEmailAddress);
        };
        let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
        let host_ok = dotted(host)
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            && host
                .split('.')
                .all(|label| !label.starts_with('-') && !label.ends_with('-'));
        if plain && dotted(mailbox) && mailbox.len() <= 64 && host_ok {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmailAddress)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_lower_cased_and_otherwise_kept_as_it_is() {
        let address = EmailAddress::parse("Ada.Lovelace+tickets@Example.COM").unwrap();
        assert_eq!(address.as_str(), "ada.lovelace+tickets@example.com");
    }

    #[test]
    fn what_could_smuggle_a_header_or_a_second_recipient_is_refused() {
        let long = format!("{}@example.com", "a".repeat(300));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@b@c",
            "a b@c.d",
            "a@b\r\nBcc: x@y.z",
            "a@b.c,d@e.f",
            "<a@b.c>",
            "a@b..c",
            ".a@b.c",
            "é@b.c",
            "a@-b.c",
            "\"a\"@b.c",
            "a@b.c;d",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmailAddress), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_address() {
        let address = EmailAddress::parse("ada@example.com").unwrap();
        assert!(!format!("{address:?}").contains("ada"));
    }
}
