//! Log lines for programs: one JSON object each, with every field at its top level.
//!
//! A line has the fields of its event and those of the spans around it, such as the correlation id of the request that is
//! being answered. If two have the same name, the innermost counts.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io::Write;

use chrono::{SecondsFormat, Utc};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A layer that writes each event as one line.
#[derive(Debug)]
pub(super) struct JsonLines<W> {
    writer: W,
}

impl<W> JsonLines<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a line is read beside those of other programs, so it has the time of the system; nothing replays it"
    )]
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut line = Line::begin();
        line.text("timestamp", &Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true));
        line.text("level", metadata.level().as_str());
        if fields.0.iter().any(|(name, _)| *name == MESSAGE) {
            line.fields(&fields, |name| name == MESSAGE);
        } else {
            // Some libraries have lines of fields alone.
            line.text(MESSAGE, metadata.target());
        }
        line.text("target", metadata.target());
        line.fields(&fields, |name| name != MESSAGE && !RESERVED.contains(&name));
        // From the innermost span outwards, so that an inner one counts.
        let mut known: Vec<&'static str> = fields.0.iter().map(|(name, _)| *name).collect();
        for span in context.event_span(event).into_iter().flat_map(|span| span.scope()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                line.fields(of_span, |name| !known.contains(&name) && !RESERVED.contains(&name));
                known.extend(of_span.0.iter().map(|(name, _)| *name));
            }
        }
        // If standard error cannot be written to, there is nowhere to report that.
        let _ = self.writer.make_writer_for(metadata).write_all(line.end().as_bytes());
    }
}

const MESSAGE: &str = "message";

/// Names that every line has of itself.
const RESERVED: [&str; 3] = ["timestamp", "level", "target"];

/// The fields of an event or a span, each with its value as JSON.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn put(&mut self, field: &Field, json: String) {
        match self.0.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, value)) => *value = json,
            None => self.0.push((field.name(), json)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = if value.is_finite() {
            format!("{value:.3}")
        } else {
            "null".to_owned()
        };
        self.put(field, number);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, quoted(value));
    }

    /// Writes an error with all its causes.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut error = value;
        while let Some(source) = error.source() {
            let _ = write!(text, ": {source}");
            error = source;
        }
        self.put(field, quoted(&text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, quoted(&format!("{value:?}")));
    }
}

/// One line in the making.
struct Line(String);

impl Line {
    fn begin() -> Self {
        let mut line = String::with_capacity(512);
        line.push('{');
        Self(line)
    }

    fn put(&mut self, name: &str, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(name, &mut self.0);
        self.0.push(':');
        self.0.push_str(json);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.put(name, &quoted(value));
    }

    fn fields(&mut self, fields: &Fields, wanted: impl Fn(&'static str) -> bool) {
        for (name, json) in fields.0.iter().filter(|(name, _)| wanted(name)) {
            self.put(name, json);
        }
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

fn quote(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => drop(write!(json, "\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{error_span, info, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines that are logged meanwhile.
    fn lines(meanwhile: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, meanwhile);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn the_fields_of_a_line_and_of_the_spans_around_it_are_at_the_top_level() {
        let lines = lines(|| {
            let _outer = error_span!("outer", correlation_id = "ada-42", user_id = "outer").entered();
            let inner = error_span!("inner", user_id = "inner", event_id = tracing::field::Empty).entered();
            inner.record("event_id", "concert");
            info!(duration_ms = 1.5, facts = 2, sold = true, "a \"line\"\n\u{1}");
            info!(user_id = "own", timestamp = "never", "another");
        });
        let [one, other] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(one["message"], "a \"line\"\n\u{1}");
        assert_eq!(one["level"], "INFO");
        assert!(one["timestamp"].as_str().unwrap().ends_with('Z'));
        let names = ["correlation_id", "user_id", "event_id", "duration_ms", "facts", "sold"];
        let found: Vec<_> = names.iter().map(|name| one[*name].clone()).collect();
        assert_eq!(
            found,
            [
                json!("ada-42"),
                json!("inner"),
                json!("concert"),
                json!(1.5),
                json!(2),
                json!(true)
            ]
        );
        assert_eq!(other["user_id"], "own");
        assert_ne!(other["timestamp"], "never");
    }

    #[test]
    fn an_error_is_written_with_all_its_causes() {
        let lines = lines(|| {
            let refused = io::Error::other("connection refused");
            let error = Outage(refused);
            warn!(error = &error as &dyn Error, "a commit failed");
        });
        assert_eq!(lines[0]["error"], "the store is down: connection refused");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the store is down")]
    struct Outage(#[source] io::Error);
}
