//! What every client of the brokers has in common.

use ticketing_ports::event_bus::BusUnavailable;

/// Says nothing by itself; what goes wrong is in the answers.
pub(crate) struct DefaultClient;

impl rdkafka::ClientContext for DefaultClient {}
impl rdkafka::consumer::ConsumerContext for DefaultClient {}

pub(crate) fn unavailable(error: impl Into<ticketing_ports::errors::BoxError>) -> BusUnavailable {
    BusUnavailable(error.into())
}
