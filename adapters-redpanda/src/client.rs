//! What all clients of the brokers have in common: where the log lines of librdkafka go, and how an error becomes
//! `BusUnavailable`.

use rdkafka::config::RDKafkaLogLevel;
use ticketing_ports::log::event_bus::BusUnavailable;
use tracing::{debug, error, info, warn};

/// Turns the log lines of the library librdkafka into events of `tracing`. Errors of single calls are returned to
/// their callers, and not logged here.
pub(crate) struct DefaultClient;

impl rdkafka::ClientContext for DefaultClient {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // The library warns at each start that `enable.gapless.guarantee` is experimental. This crate sets it on
        // purpose, so the warning is logged as `debug` only.
        let is_expected = facility == "CONFWARN" && message.contains("enable.gapless.guarantee");
        match level {
            _ if is_expected => debug!(facility, message, "a log line of the Kafka client library"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                error!(facility, message, "a log line of the Kafka client library");
            }
            RDKafkaLogLevel::Warning => warn!(facility, message, "a log line of the Kafka client library"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                info!(facility, message, "a log line of the Kafka client library");
            }
            RDKafkaLogLevel::Debug => debug!(facility, message, "a log line of the Kafka client library"),
        }
    }
}
impl rdkafka::consumer::ConsumerContext for DefaultClient {}

pub(crate) fn unavailable(error: impl Into<ticketing_ports::vocabulary::errors::BoxError>) -> BusUnavailable {
    BusUnavailable(error.into())
}
