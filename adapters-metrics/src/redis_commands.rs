//! Counts the commands that were sent to Redis.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::by_label::ByLabel;
use crate::families::{REDIS_COMMAND_DURATION, REDIS_COMMANDS};
use crate::registry::Metrics;

/// The commands that were sent to Redis, and how long they took.
#[derive(Debug)]
pub struct RedisCommands {
    metrics: Metrics,
    commands: ByLabel<(Counter, Histogram)>,
}

impl RedisCommands {
    /// Makes a counter of commands.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            metrics: metrics.clone(),
            commands: ByLabel::new(),
        }
    }

    /// Counts a command that has ended after `took`.
    pub fn count(&self, command: &str, took: Duration) {
        let make = || {
            let counter = self.metrics.counter(&REDIS_COMMANDS, &[command]);
            (counter, self.metrics.histogram(&REDIS_COMMAND_DURATION, &[command]))
        };
        self.commands.with(command, make, |(counter, durations)| {
            counter.increment(1);
            durations.record(took);
        });
    }
}
