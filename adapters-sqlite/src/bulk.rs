//! Statements that write or look up many rows at once.
//!
//! Each statement has a fixed cost besides the cost of its rows, so many rows share one statement. But a statement
//! has another text for each number of rows. So the rows are split into groups of a few fixed sizes, and each
//! connection prepares only a few texts, each of them once.

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// The numbers of rows that a group may have. The largest group has far fewer than the 32,766 parameters that SQLite
/// allows.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement with a `VALUES` list between `head` and `tail`.
pub(crate) struct Bulk {
    pub(crate) head: &'static str,
    /// The parameters of one row, such as `(?, ?)`.
    pub(crate) row: &'static str,
    pub(crate) tail: &'static str,
}

/// A function that adds the values of one row to the parameters of a statement.
pub(crate) type Binder<T> = fn(&mut SqliteArguments, &T) -> Result<(), BoxDynError>;

impl Bulk {
    pub(crate) async fn execute<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: Binder<T>,
    ) -> Result<(), sqlx::Error> {
        for group in groups(rows) {
            let (sql, arguments) = self.statement(group, bind)?;
            sqlx::query_with(AssertSqlSafe(sql), arguments)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn fetch<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: Binder<T>,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        for group in groups(rows) {
            let (sql, arguments) = self.statement(group, bind)?;
            found.append(
                &mut sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&mut *connection)
                    .await?,
            );
        }
        Ok(found)
    }

    fn statement<T>(&self, rows: &[T], bind: Binder<T>) -> Result<(String, SqliteArguments), sqlx::Error> {
        let length = self.head.len() + rows.len() * (self.row.len() + 1) + self.tail.len();
        let mut sql = String::with_capacity(length);
        let mut arguments = SqliteArguments::default();
        sql.push_str(self.head);
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                sql.push(',');
            }
            sql.push_str(self.row);
            bind(&mut arguments, row).map_err(sqlx::Error::Encode)?;
        }
        sql.push_str(self.tail);
        Ok((sql, arguments))
    }
}

fn groups<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (group, rest) = rows.split_at(size);
        rows = rest;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use tempfile::TempDir;

    use super::*;
    use crate::{SqliteStore, commit_check, event_store, idempotency};

    #[tokio::test]
    async fn no_look_up_or_deletion_scans_a_table() {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(directory.path().join("test.db")).await.unwrap();
        let bulks = [
            commit_check::FIND_COMMITS,
            commit_check::FIND_VERSIONS,
            commit_check::FIND_KEYS,
            commit_check::CLEAR,
        ];
        let statement = |bulk: &Bulk, rows| bulk.statement(&vec![(); rows], |_, ()| Ok(())).unwrap().0;
        let listed = bulks.iter().flat_map(|bulk| SIZES.map(|rows| statement(bulk, rows)));
        let statements = [event_store::READ_STREAMS, idempotency::FIND_ANSWERS].map(str::to_owned);
        for sql in statements.into_iter().chain(listed) {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = sqlx::query(explain).fetch_all(&store.readers).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            // SQLite may scan the list of rows in the statement, but none of these tables.
            let tables = ["events", "newest", "commits", "deadlines", "idempotency_records"];
            let scanned = tables
                .iter()
                .find(|table| plan.iter().any(|step| step.starts_with(&format!("SCAN {table}"))));
            assert_eq!(scanned, None, "{sql}: {plan:#?}");
        }
    }

    #[test]
    fn every_row_is_in_one_group_and_groups_have_few_sizes() {
        for count in 0..1200 {
            let rows: Vec<usize> = (0..count).collect();
            let groups: Vec<&[usize]> = groups(&rows).collect();
            assert_eq!(groups.concat(), rows);
            assert!(groups.iter().all(|group| SIZES.contains(&group.len())));
            assert!(groups.len() <= 12 + count / 256);
        }
    }
}
