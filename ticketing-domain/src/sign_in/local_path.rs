//! Where a browser goes after a sign-in: always a page of this site.

use thiserror::Error;

/// An absolute path on this site, with an optional query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

/// The text is not a path on this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a path on this site that begins with a single slash")]
pub struct InvalidLocalPath;

impl LocalPath {
    const MAX_LENGTH: usize = 512;

    /// Parses a path.
    ///
    /// # Errors
    /// When a browser could take the text for the URL of another site, as with `//host`, `/\host`, a scheme or
    /// control characters. Also when the text is longer than 512 bytes, or has a fragment, which is where the server
    /// puts the sign-in code.
    pub fn parse(text: &str) -> Result<Self, InvalidLocalPath> {
        let plain =
            text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic() && !b"\\#\"<>".contains(&b));
        if plain && text.starts_with('/') && !text.starts_with("//") {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLocalPath)
        }
    }

    /// Returns the path of the page that trades a sign-in code for a session.
    pub fn verify_page() -> Self {
        Self("/auth/verify".to_owned())
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_ours_is_kept_as_it_is() {
        for path in ["/", "/demo/passkey", "/events/1?tab=seats&x=%2F"] {
            assert_eq!(LocalPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_leads_to_another_site_is_refused() {
        let long = format!("/{}", "a".repeat(600));
        for path in [
            "",
            "events",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
            "/\t/evil.example",
            "/a#code=x",
            "/é",
            &long,
        ] {
            assert_eq!(LocalPath::parse(path), Err(InvalidLocalPath), "{path:?}");
        }
    }
}
