//! What all clients of the brokers have in common: settings, and the log lines of librdkafka.

use rdkafka::config::RDKafkaLogLevel;
use ticketing_ports::log::event_bus::BusUnavailable;
use tracing::{debug, error, info, warn};

/// Turns the log lines of librdkafka into events of `tracing`. Errors of calls are returned, and not logged here.
pub(crate) struct DefaultClient;

impl rdkafka::ClientContext for DefaultClient {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // At each start the library warns that a setting, which is chosen on purpose, is experimental.
        let is_expected = facility == "CONFWARN" && message.contains("enable.gapless.guarantee");
        match level {
            _ if is_expected => debug!(facility, message, "the Kafka client reports"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                error!(facility, message, "the Kafka client reports");
            }
            RDKafkaLogLevel::Warning => warn!(facility, message, "the Kafka client reports"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                info!(facility, message, "the Kafka client reports");
            }
            RDKafkaLogLevel::Debug => debug!(facility, message, "the Kafka client reports"),
        }
    }
}
impl rdkafka::consumer::ConsumerContext for DefaultClient {}

pub(crate) fn unavailable(error: impl Into<ticketing_ports::vocabulary::errors::BoxError>) -> BusUnavailable {
    BusUnavailable(error.into())
}
