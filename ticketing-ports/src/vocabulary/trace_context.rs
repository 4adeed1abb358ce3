//! The place of a request in the distributed trace of its caller, as the two headers of
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/) give it.
//!
//! The facts of a request keep the trace context, so that whatever is done with them later belongs to the same trace. A
//! request is never refused because of its trace: headers that are not valid count as absent.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// The `traceparent` of a request, and its `tracestate` if it has one. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TraceContext(Arc<Fields>);

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Fields {
    traceparent: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracestate: Option<Box<str>>,
}

impl TraceContext {
    /// How many characters a `tracestate` has at most; a longer one is left out. The standard asks systems to pass on
    /// at least this many, and not more.
    pub const MAX_STATE_LENGTH: usize = 512;

    /// Reads the header `traceparent`, and the lines of the header `tracestate` in their order.
    ///
    /// Returns `None` if `traceparent` is not valid. A `tracestate` that is too long or has characters other than
    /// printable ASCII is left out. Its members are not checked further.
    pub fn parse<'a>(traceparent: &str, tracestate: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        Some(Self(Arc::new(Fields {
            traceparent: parse_parent(traceparent)?,
            tracestate: join_state(tracestate),
        })))
    }

    /// Returns the `traceparent`. It has version 00, and so 55 characters.
    pub fn traceparent(&self) -> &str {
        &self.0.traceparent
    }

    /// Returns the id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.0.traceparent[3..35]
    }

    /// Returns the id of the span that caused what carries this trace context: 16 hexadecimal digits.
    pub fn parent_id(&self) -> &str {
        &self.0.traceparent[36..52]
    }

    /// Returns whether the spans of the trace are recorded.
    pub fn is_sampled(&self) -> bool {
        let flags = u8::from_str_radix(&self.0.traceparent[53..], 16);
        flags.is_ok_and(|flags| flags & 1 == 1)
    }

    /// Returns the `tracestate` as one line of at most [`Self::MAX_STATE_LENGTH`] characters; `None` if there is none.
    pub fn tracestate(&self) -> Option<&str> {
        self.0.tracestate.as_deref()
    }
}

/// Reads a stored trace context. A trace context that is not valid counts as absent, so that its fact can still be
/// read.
pub(crate) fn deserialize_if_valid<'de, D>(deserializer: D) -> Result<Option<TraceContext>, D::Error>
where
    D: Deserializer<'de>,
{
    let fields = Option::<Fields>::deserialize(deserializer)?;
    Ok(fields.and_then(|fields| TraceContext::parse(&fields.traceparent, fields.tracestate.as_deref())))
}

/// Reads a `traceparent` of any version, and returns its known fields as version 00. The standard allows this: a
/// later version may only add fields at the end, and fields that are not known need not be passed on.
fn parse_parent(text: &str) -> Option<Box<str>> {
    const LENGTH: usize = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".len();
    let (known, unknown) = text.split_at_checked(LENGTH)?;
    let mut fields = known.split('-');
    let version = hex(fields.next()?, 2)?;
    let trace_id = not_all_zero(hex(fields.next()?, 32)?)?;
    let parent_id = not_all_zero(hex(fields.next()?, 16)?)?;
    let flags = hex(fields.next()?, 2)?;
    match version {
        "ff" => None,
        "00" => unknown.is_empty().then(|| known.into()),
        _ if unknown.is_empty() || unknown.starts_with('-') => {
            // Only the lowest bit, "sampled", has the same meaning in every version of the standard, so the other
            // bits are dropped.
            let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
            Some(format!("00-{trace_id}-{parent_id}-{sampled:02x}").into())
        }
        _ => None,
    }
}

fn hex(text: &str, length: usize) -> Option<&str> {
    let lowercase = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == length && lowercase).then_some(text)
}

fn not_all_zero(id: &str) -> Option<&str> {
    id.bytes().any(|digit| digit != b'0').then_some(id)
}

fn join_state<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Box<str>> {
    let members = lines.into_iter().flat_map(|line| line.split(','));
    let members = members.map(|member| member.trim_matches([' ', '\t']));
    let state = members
        .filter(|member| !member.is_empty())
        .collect::<Vec<_>>()
        .join(",");
    let printable = state.bytes().all(|b| matches!(b, b' '..=b'~'));
    let in_order = printable && (1..=TraceContext::MAX_STATE_LENGTH).contains(&state.len());
    in_order.then(|| state.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parent_of(text: &str) -> Option<String> {
        TraceContext::parse(text, []).map(|trace| trace.traceparent().to_owned())
    }

    fn state_of(lines: &[&str]) -> Option<String> {
        let trace = TraceContext::parse(PARENT, lines.iter().copied()).expect("this traceparent is valid");
        assert_eq!(
            trace.traceparent(),
            PARENT,
            "the traceparent is kept whatever the tracestate is"
        );
        trace.tracestate().map(ToOwned::to_owned)
    }

    #[test]
    fn a_traceparent_of_version_00_is_passed_on_as_it_came() {
        let unknown_flags = PARENT.replace("-01", "-fe");
        for text in [PARENT, &unknown_flags, &PARENT.replace("-01", "-00")] {
            assert_eq!(parent_of(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_traceparent_that_is_not_exactly_as_version_00_says_counts_as_absent() {
        let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        let wrong = [
            String::new(),
            "00".to_owned(),
            PARENT.to_uppercase(),
            format!("{PARENT}-"),
            format!("{PARENT}-what-the-future-will-be-like"),
            format!("{PARENT}0"),
            PARENT[..54].to_owned(),
            format!(" {}", &PARENT[..54]),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16)),
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01".to_owned(),
            format!("00-{ids}-0g"),
            format!("0x-{ids}-01"),
            format!("00-{ids}_01"),
            format!("-00{ids}-01-"),
            PARENT.replace('a', "ä"),
            PARENT.replacen("01", "é", 1),
        ];
        for text in wrong {
            assert_eq!(parent_of(&text), None, "{text:?}");
        }
    }

    #[test]
    fn a_traceparent_of_version_ff_counts_as_absent() {
        assert_eq!(parent_of(&PARENT.replacen("00", "ff", 1)), None);
    }

    #[test]
    fn a_traceparent_of_a_later_version_is_passed_on_as_far_as_it_is_known() {
        let later = PARENT.replacen("00", "cc", 1);
        for text in [
            &later,
            &format!("{later}-what-the-future-will-be-like"),
            &format!("{later}-"),
        ] {
            assert_eq!(parent_of(text).as_deref(), Some(PARENT), "{text:?}");
        }
        let more_flags = later.replace("-01", "-ff");
        assert_eq!(
            parent_of(&more_flags).as_deref(),
            Some(PARENT),
            "only that it is sampled"
        );
        let not_sampled = parent_of(&later.replace("-01", "-fe"));
        assert_eq!(not_sampled, Some(PARENT.replace("-01", "-00")));
        assert_eq!(parent_of(&format!("{later}.what-the-future-will-be-like")), None);
        assert_eq!(parent_of(&later[..54]), None);
    }

    #[test]
    fn the_parts_of_a_traceparent_are_read_from_it() {
        let trace = TraceContext::parse(PARENT, []).expect("this traceparent is valid");
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent_id(), "b7ad6b7169203331");
        for (flags, sampled) in [
            ("-00", false),
            ("-01", true),
            ("-02", false),
            ("-03", true),
            ("-ff", true),
        ] {
            let trace = TraceContext::parse(&PARENT.replace("-01", flags), []);
            assert_eq!(trace.expect("all flags are allowed").is_sampled(), sampled, "{flags}");
        }
    }

    #[test]
    fn the_lines_of_a_tracestate_become_one_in_their_order() {
        assert_eq!(state_of(&["foo=1,bar=2"]).as_deref(), Some("foo=1,bar=2"));
        assert_eq!(
            state_of(&["foo=1", "bar=2,baz=a b"]).as_deref(),
            Some("foo=1,bar=2,baz=a b")
        );
        assert_eq!(state_of(&["foo=1 \t, bar=2", "", ","]).as_deref(), Some("foo=1,bar=2"));
        for nothing in [&[][..], &[""][..], &[" ", ",\t,"][..]] {
            assert_eq!(state_of(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_tracestate_has_at_most_512_characters_of_printable_ascii_or_is_left_out() {
        let longest = format!("foo={}", "x".repeat(508));
        assert_eq!(state_of(&[&longest]).as_deref(), Some(longest.as_str()));
        for wrong in ["foo=ä", "foo=\n", "foo=a\tb", "foo=\u{7f}", &format!("{longest}x")] {
            assert_eq!(state_of(&[wrong]), None, "{wrong:?}");
        }
        assert_eq!(state_of(&[&longest, "a=1"]), None, "too long together");
        assert_eq!(state_of(&["foo=1", "bar=ä"]), None, "all of it or nothing");
    }
}
