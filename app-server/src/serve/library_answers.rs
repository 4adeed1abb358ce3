//! Puts the answers that the HTTP library gives by itself into the words of this API. The library answers bytes that
//! are no HTTP request, without a body and before any of our code runs.

use std::sync::Arc;

use adapters_http::{ApiError, Code};
use ticketing_ports::vocabulary::ids::IdSource;

/// What each answer of the library means: the beginning of its bytes, the code of ours and the explanation.
const MEANINGS: [(&[u8], Code, &str); 2] = [
    (
        b"HTTP/1.1 400 ",
        Code::InvalidRequest,
        "the request is not HTTP, or its head is malformed",
    ),
    (
        b"HTTP/1.1 431 ",
        Code::HeadTooLarge,
        "the head of the request has more than 100 headers, or more than 16 KiB",
    ),
];

/// Answers of ours have this header, so an answer without it is the library's.
const OURS: &[u8] = b"x-correlation-id: ";

/// Writes an answer of this API instead of an answer of the HTTP library.
#[derive(Clone)]
pub(super) struct AnswerInOurWords(pub(super) Arc<dyn IdSource>);

impl std::fmt::Debug for AnswerInOurWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerInOurWords").finish_non_exhaustive()
    }
}

impl AnswerInOurWords {
    /// Returns the bytes to write instead of `bytes`, or `None` if these are no answer of the HTTP library.
    pub(super) fn instead_of(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (_, code, message) = *MEANINGS.iter().find(|(beginning, ..)| bytes.starts_with(beginning))?;
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        let is_the_librarys = has(b"content-length: 0\r\n") && !has(OURS);
        is_the_librarys.then(|| self.write(&ApiError::new(code, message)))
    }

    /// Writes a whole answer of HTTP/1.1 that ends the connection.
    pub(super) fn write(&self, error: &ApiError) -> Vec<u8> {
        let status = error.code.status();
        let body = error.to_json().to_string();
        let retry = error.retry_after.map_or_else(String::new, |time| {
            format!("retry-after: {}\r\n", time.as_secs().max(1))
        });
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{retry}connection: close\r\n\
             cache-control: no-store\r\nx-content-type-options: nosniff\r\nx-correlation-id: {}\r\n\r\n{body}",
            body.len(),
            self.0.uuid(),
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use adapters_external::SystemIds;

    use super::*;

    fn instead_of(bytes: &str) -> Option<String> {
        let words = AnswerInOurWords(Arc::new(SystemIds::new()));
        let answer = words.instead_of(bytes.as_bytes())?;
        Some(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn an_answer_of_the_library_gets_a_code_and_a_correlation_id() {
        let answer = instead_of("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("x-correlation-id: "), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(body.contains(r#""code":"INVALID_REQUEST""#), "{body}");
    }

    #[test]
    fn an_answer_of_ours_is_left_alone() {
        for ours in [
            "HTTP/1.1 400 Bad Request\r\nx-correlation-id: 7\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n",
        ] {
            assert_eq!(instead_of(ours), None, "{ours}");
        }
    }
}
