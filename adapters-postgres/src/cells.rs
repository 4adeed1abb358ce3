//! Reads the values of a row. If a value cannot be read, the error names the table, the column and the row.

use sqlx::postgres::{PgRow, Postgres};
use sqlx::types::Json;
use sqlx::{Decode, Row, Type};
use ticketing_ports::log::lanes::{LaneId, LaneKind};
use ticketing_ports::log::streams::{Aggregate, Metadata, StreamId};
use ticketing_ports::vocabulary::errors::StoreError;
use uuid::Uuid;

/// A row of a table, with the name of the column that identifies it.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'r> {
    pub(crate) row: &'r PgRow,
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
}

impl<'r> Cells<'r> {
    pub(crate) fn get<T: Decode<'r, Postgres> + Type<Postgres>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|_| self.inconsistent(column))
    }

    pub(crate) fn parse<T: Decode<'r, Postgres> + Type<Postgres>, U>(
        &self,
        column: &'static str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, StoreError> {
        parse(self.get(column)?).ok_or_else(|| self.inconsistent(column))
    }

    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        self.parse(column, |count: i64| count.try_into().ok())
    }

    pub(crate) fn stream(&self) -> Result<StreamId, StoreError> {
        let aggregate = self.parse("aggregate_type", Aggregate::from_number)?;
        Ok(StreamId::new(aggregate, self.get("stream_id")?))
    }

    pub(crate) fn lane(&self) -> Result<LaneId, StoreError> {
        let kind = self.parse("lane_kind", LaneKind::from_number)?;
        Ok(LaneId::new(kind, self.get("lane_id")?))
    }

    /// Reads metadata from a column that is null if the metadata is empty.
    pub(crate) fn metadata(&self, column: &'static str) -> Result<Metadata, StoreError> {
        let written: Option<Json<_>> = self.get(column)?;
        Ok(written.map(|Json(metadata)| metadata).unwrap_or_default())
    }

    pub(crate) fn inconsistent(&self, column: &'static str) -> StoreError {
        let number = self.row.try_get::<i64, _>(self.key).map(|number| number.to_string());
        let uuid = || self.row.try_get::<Uuid, _>(self.key).map(|uuid| uuid.to_string());
        StoreError::Inconsistent {
            table: self.table,
            column,
            row: number.or_else(|_| uuid()).unwrap_or_else(|_| "?".to_owned()),
        }
    }
}

/// Returns a number as `bigint`. A number too large for the type becomes the largest `bigint`, which is beyond
/// everything that is stored.
pub(crate) fn bound(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Returns a number of rows as `bigint`, for a `LIMIT`; a number too large for the type becomes the largest.
pub(crate) fn limit(rows: usize) -> i64 {
    rows.try_into().unwrap_or(i64::MAX)
}
