//! Reads the values of a row. If a value cannot be read, the error names the table, the column and the row.

use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use ticketing_ports::Timestamp;
use ticketing_ports::log::lanes::{LaneId, LaneKind};
use ticketing_ports::log::streams::{Aggregate, Metadata, StreamId};
use ticketing_ports::vocabulary::errors::StoreError;
use uuid::Uuid;

/// A row of a table, with the name of the column that identifies it.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'r> {
    pub(crate) row: &'r SqliteRow,
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
}

impl<'r> Cells<'r> {
    pub(crate) fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn parse<T: Decode<'r, Sqlite> + Type<Sqlite>, U>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, StoreError> {
        parse(self.get(column)?).ok_or_else(|| self.inconsistent(column))
    }

    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        self.parse(column, |count: i64| count.try_into().ok())
    }

    pub(crate) fn uuid(&self, column: &'static str) -> Result<Uuid, StoreError> {
        self.parse(column, |bytes: &[u8]| Uuid::from_slice(bytes).ok())
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.parse(column, DateTime::from_timestamp_micros)
    }

    pub(crate) fn stream(&self) -> Result<StreamId, StoreError> {
        let aggregate = self.parse("aggregate_type", Aggregate::from_number)?;
        Ok(StreamId::new(aggregate, self.uuid("aggregate_id")?))
    }

    pub(crate) fn lane(&self) -> Result<LaneId, StoreError> {
        let kind = self.parse("lane_kind", LaneKind::from_number)?;
        Ok(LaneId::new(kind, self.uuid("lane_id")?))
    }

    /// Reads metadata from a column that is null if the metadata is empty.
    pub(crate) fn metadata(&self, column: &'static str) -> Result<Metadata, StoreError> {
        self.parse(column, |json: Option<&str>| match json {
            Some(json) => serde_json::from_str(json).ok(),
            None => Some(Metadata::default()),
        })
    }

    fn inconsistent(&self, column: &'static str) -> StoreError {
        let number = self.row.try_get::<i64, _>(self.key).map(|number| number.to_string());
        let bytes = || self.row.try_get::<&[u8], _>(self.key).map(hex);
        StoreError::Inconsistent {
            table: self.table,
            column,
            row: number.or_else(|_| bytes()).unwrap_or_else(|_| "?".to_owned()),
        }
    }
}

/// Returns metadata as JSON; `None` if it is empty.
pub(crate) fn written(metadata: &Metadata) -> Result<Option<String>, serde_json::Error> {
    let says_something = *metadata != Metadata::default();
    says_something.then(|| serde_json::to_string(metadata)).transpose()
}

/// Returns a number as an integer of SQLite. A number too large for the type becomes the largest integer, which is
/// beyond everything that is stored.
pub(crate) fn bound(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Returns a number of rows as an integer of SQLite, for a `LIMIT`; a number too large for the type becomes the
/// largest.
pub(crate) fn limit(rows: usize) -> i64 {
    rows.try_into().unwrap_or(i64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
