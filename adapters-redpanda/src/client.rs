//! What every client of the brokers has in common.

use rdkafka::config::RDKafkaLogLevel;
use ticketing_ports::log::event_bus::BusUnavailable;
use tracing::{debug, error, info, warn};

/// Says nothing by itself; what goes wrong is in the answers.
pub(crate) struct DefaultClient;

impl rdkafka::ClientContext for DefaultClient {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // At each start the library says of a setting that we have chosen on purpose that it is experimental.
        let is_expected = facility == "CONFWARN" && message.contains("enable.gapless.guarantee");
        match level {
            _ if is_expected => debug!(facility, message, "a client of the brokers speaks"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                error!(facility, message, "a client of the brokers speaks");
            }
            RDKafkaLogLevel::Warning => warn!(facility, message, "a client of the brokers speaks"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                info!(facility, message, "a client of the brokers speaks");
            }
            RDKafkaLogLevel::Debug => debug!(facility, message, "a client of the brokers speaks"),
        }
    }
}
impl rdkafka::consumer::ConsumerContext for DefaultClient {}

pub(crate) fn unavailable(error: impl Into<ticketing_ports::vocabulary::errors::BoxError>) -> BusUnavailable {
    BusUnavailable(error.into())
}
