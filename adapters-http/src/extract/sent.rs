//! JSON as the caller sent it. Unlike `serde_json::Value`, it remembers which names stand twice in an object, and
//! whether a number is whole even if the number is too large for every integer type.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Null,
    Bool(bool),
    /// A whole number. A number that does not fit into `i128` becomes the least or the greatest `i128`.
    Whole(i128),
    Fraction(f64),
    Text(String),
    Array(Vec<Self>),
    Object(Object),
    /// The value of a query parameter, which has no JSON type.
    Parameter(String),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object {
    pub(super) fields: BTreeMap<String, Sent>,
    /// The names that stand in the object more than once.
    pub(super) repeated: BTreeSet<String>,
}

impl Object {
    pub(super) fn put(&mut self, name: String, value: Sent) {
        match self.fields.entry(name) {
            Entry::Vacant(place) => drop(place.insert(value)),
            Entry::Occupied(first) => drop(self.repeated.insert(first.key().clone())),
        }
    }
}

impl Sent {
    /// Reads UTF-8 text with or without a byte order mark.
    ///
    /// # Errors
    /// Returns what is wrong with the text and where. The message repeats nothing of the text, which may contain
    /// secrets.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            return Err("is UTF-16, as its byte order mark says; JSON is sent as UTF-8".to_owned());
        }
        let text = std::str::from_utf8(text)
            .map_err(|error| format!("is not UTF-8: byte {} belongs to no character", error.valid_up_to() + 1))?;
        serde_json::from_str(text).map_err(|error| not_json(&error))
    }

    /// Returns the name of the type in the words of JSON.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Whole(_) | Self::Fraction(_) => "a number",
            Self::Text(_) | Self::Parameter(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Returns whether a name stands twice in this object or in one inside it.
    pub(super) fn repeats_a_name(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::repeats_a_name),
            Self::Object(object) => !object.repeated.is_empty() || object.fields.values().any(Self::repeats_a_name),
            _ => false,
        }
    }
}

impl From<Sent> for Value {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Null => Self::Null,
            Sent::Bool(flag) => Self::Bool(flag),
            Sent::Whole(number) => Number::from_i128(number).map_or(Self::Null, Self::Number),
            Sent::Fraction(number) => Number::from_f64(number).map_or(Self::Null, Self::Number),
            Sent::Text(text) | Sent::Parameter(text) => Self::String(text),
            Sent::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Sent::Object(object) => Self::Object(object.into()),
        }
    }
}

impl From<Object> for Map<String, Value> {
    fn from(object: Object) -> Self {
        object
            .fields
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect()
    }
}

/// Turns an error of the JSON parser into plain words, and adds the place in the text where the error is.
fn not_json(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    let what = match told {
        "EOF while parsing a list" => "an array does not end",
        "EOF while parsing an object" => "an object does not end",
        "EOF while parsing a string" => "a string does not end",
        "EOF while parsing a value" => "a value is missing",
        "expected value" | "expected ident" => "a value is expected",
        "trailing characters" => "something follows the value",
        "recursion limit exceeded" => "values are nested more than 127 deep",
        other => other,
    };
    format!("is not JSON: {what} at line {} column {}", error.line(), error.column())
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Sent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Sent, E> {
        Ok(Sent::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Sent, E> {
        Ok(Sent::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Sent, E> {
        Ok(Sent::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Sent, E> {
        Ok(Sent::Whole(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Sent, E> {
        // A number without a fraction is whole, because to JSON Schema `2.0` and `1e2` are integers. The parser also
        // gives `-0`, and integers that do not fit into a `u64`, as an `f64`.
        if number.fract() == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the cast saturates, and that is what `Sent::Whole` promises"
            )]
            return Ok(Sent::Whole(number as i128));
        }
        Ok(Sent::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Sent, E> {
        Ok(Sent::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Sent, E> {
        Ok(Sent::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Sent, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Sent::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sent, A::Error> {
        let mut object = Object::default();
        while let Some((name, value)) = map.next_entry()? {
            object.put(name, value);
        }
        Ok(Sent::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_told_with_its_place_and_never_repeated() {
        for (text, told) in [
            ("{\"a\": 1,}", "is not JSON: trailing comma at line 1 column 9"),
            (
                "{\n\"a\": secret}",
                "is not JSON: a value is expected at line 2 column 6",
            ),
            (
                "{\"a\": [1, 2",
                "is not JSON: an array does not end at line 1 column 11",
            ),
            (
                "{\"a\": \"secret",
                "is not JSON: a string does not end at line 1 column 13",
            ),
            ("{\"a\":", "is not JSON: a value is missing at line 1 column 5"),
            ("{} {}", "is not JSON: something follows the value at line 1 column 4"),
            ("{\"a\": 1e400}", "is not JSON: number out of range at line 1 column 11"),
        ] {
            assert_eq!(Sent::read(text.as_bytes()), Err(told.to_owned()), "{text}");
        }
        let deep = "[".repeat(200);
        assert!(
            Sent::read(deep.as_bytes())
                .unwrap_err()
                .contains("nested more than 127 deep")
        );
    }

    #[test]
    fn a_byte_order_mark_of_utf_8_is_passed_over_and_one_of_utf_16_is_named() {
        assert_eq!(Sent::read(b"\xef\xbb\xbf[]"), Ok(Sent::Array(Vec::new())));
        assert!(Sent::read(b"\xff\xfe[\0]\0").unwrap_err().contains("UTF-16"));
        assert!(Sent::read(b"\xfe\xff\0[\0]").unwrap_err().contains("UTF-16"));
        assert_eq!(
            Sent::read(b"\"ab\xff\""),
            Err("is not UTF-8: byte 4 belongs to no character".to_owned())
        );
    }

    #[test]
    fn a_whole_number_is_one_whatever_its_size_and_however_it_is_written() {
        let huge = ["18446744073709551616", "-9223372036854775809", "1e300"];
        for text in ["0", "-0", "-7", "2.0", "1e2", "0.0"].into_iter().chain(huge) {
            assert!(matches!(Sent::read(text.as_bytes()), Ok(Sent::Whole(_))), "{text}");
        }
        assert_eq!(Sent::read(b"1e2"), Ok(Sent::Whole(100)));
        for text in ["1.5", "1e-2"] {
            assert!(matches!(Sent::read(text.as_bytes()), Ok(Sent::Fraction(_))), "{text}");
        }
    }
}
