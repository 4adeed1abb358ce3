//! Makes the texts of codes, such as those of vouchers.

use super::Desk;

/// What the texts consist of: letters and digits that nobody takes for another, and no vowels, so that no words appear.
const CHARACTERS: &[u8; 28] = b"BCDFGHJKLMNPQRSTVWXZ23456789";
/// How many characters a text has. There are about 3 × 10^14 such texts, so nobody finds one by trying.
const LENGTH: usize = 10;

impl Desk {
    /// Makes a text that nobody can guess, and that people can type.
    pub fn new_code_text(&self) -> String {
        let mut text = String::with_capacity(LENGTH);
        while text.len() < LENGTH {
            let mut bytes = [0; LENGTH];
            self.ports.entropy.fill(&mut bytes);
            // Numbers above the last character are drawn again, so that all characters are equally likely.
            let drawn = bytes.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte & 31)));
            text.extend(drawn.take(LENGTH - text.len()).map(|character| char::from(*character)));
        }
        text
    }
}
