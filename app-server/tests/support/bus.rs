//! Reads the topics of an installation as any other program could read them.

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::Installation;

/// Returns a consumer that reads a topic from its first message.
pub(crate) fn reader(installation: &Installation, topic: &str) -> anyhow::Result<StreamConsumer> {
    let prefix = installation.variable("REDPANDA_TOPIC_PREFIX")?;
    let reader: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", installation.variable("REDPANDA_BROKERS")?)
        .set("group.id", format!("{prefix}.{topic}.anybody"))
        .set("auto.offset.reset", "earliest")
        // All readers of a topic use the same group. Because none commits offsets, each begins at the first message.
        .set("enable.auto.commit", "false")
        .create()?;
    reader.subscribe(&[&format!("{prefix}.{topic}")])?;
    Ok(reader)
}

pub(crate) fn headers_of(message: &BorrowedMessage<'_>) -> Vec<(String, String)> {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    headers
        .map(|header| (header.key.to_owned(), text(header.value)))
        .collect()
}

pub(crate) fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| header.0 == name);
    header.map(|header| header.1.as_str())
}
