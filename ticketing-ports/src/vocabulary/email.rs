//! E-mail addresses, which the `Debug` output hides.

use thiserror::Error;

/// An e-mail address in lower case: ASCII, one `@`, at most 254 characters.
///
/// `Debug` hides the address, so that no log shows it. Use [`EmailAddress::as_str`] where it must be seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// The text is not an e-mail address that the box office accepts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an e-mail address that we can deliver to")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// How many characters an e-mail address has at most.
    pub const MAX_LENGTH: usize = 254;

    /// Reads an e-mail address and converts it to lower case.
    ///
    /// # Errors
    /// Fails unless the text is one plain ASCII address, without quotes, separators, spaces or control characters.
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

    /// Returns the address as text.
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
