//! Looks for a head that says the length of its body in two ways. The HTTP library removes `Content-Length` from such
//! a head before anybody else sees it.

const BY_PIECES: &[u8] = b"transfer-encoding:";
const BY_NUMBER: &[u8] = b"content-length:";

/// Reads one head as it comes, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    /// The beginning of the line that comes now, in lower case.
    line: [u8; BY_PIECES.len()],
    /// How many bytes of that line have come.
    length: usize,
    is_after_the_first_line: bool,
    by_pieces: bool,
    by_number: bool,
    is_over: bool,
}

impl HeadScan {
    /// Reads what comes of the head. What follows the head is not looked at.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.is_over => return,
                b'\r' => {}
                b'\n' => self.end_line(),
                other => {
                    if let Some(place) = self.line.get_mut(self.length) {
                        *place = other.to_ascii_lowercase();
                    }
                    self.length += 1;
                }
            }
        }
    }

    /// Returns whether the head has both `Transfer-Encoding` and `Content-Length`.
    pub(super) fn says_two_lengths(&self) -> bool {
        self.by_pieces && self.by_number
    }

    fn end_line(&mut self) {
        let known = &self.line[..self.length.min(self.line.len())];
        self.by_pieces |= known.starts_with(BY_PIECES);
        self.by_number |= known.starts_with(BY_NUMBER);
        self.is_over = self.length == 0 && self.is_after_the_first_line;
        self.is_after_the_first_line |= self.length > 0;
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says_two_lengths(head: &str, piece: usize) -> bool {
        let mut scan = HeadScan::default();
        head.as_bytes().chunks(piece).for_each(|piece| scan.read(piece));
        scan.says_two_lengths()
    }

    #[test]
    fn a_head_with_two_lengths_is_found_in_whatever_pieces_it_comes_and_a_body_is_not_looked_at() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\n";
        for piece in [1, 7, 24, 1_000] {
            for both in [
                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n",
            ] {
                assert!(says_two_lengths(&format!("{head}{both}"), piece), "{both}");
            }
            for one in [
                "Content-Length: 4\r\n\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\n\r\n1\r\nContent-Length: 4\r\n",
                "X-Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            ] {
                assert!(!says_two_lengths(&format!("{head}{one}"), piece), "{one}");
            }
        }
    }
}
