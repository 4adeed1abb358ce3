//! Queries for events.

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventView, EventsWanted};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use uuid::Uuid;

use super::PostgresReadModels;
use super::queries::{listed, offset, one_more_than};
use crate::cells::Cells;
use crate::errors::failed;

/// Makes the statement of a list. `$also` is a condition in the words of a partial index: PostgreSQL uses the index
/// only if the statement itself says the condition, since it plans without knowing the parameters.
macro_rules! list_of_events {
    ($also:literal) => {
        concat!(
            "SELECT total, starts_at AS at, event_id, status, version, view
             FROM (
                 SELECT count(*) AS total FROM read_models.events
                 WHERE (status <> $1 OR $2 OR owner_id = $3)
                   AND CASE WHEN starts_at > $4 THEN status = ANY ($5) ELSE status = ANY ($6) END
                   AND starts_at >= $11 AND starts_at < $12",
            $also,
            ") AS counted
             LEFT JOIN (
                 SELECT * FROM read_models.events
                 WHERE (status <> $1 OR $2 OR owner_id = $3)
                   AND CASE WHEN starts_at > $4 THEN status = ANY ($5) ELSE status = ANY ($6) END
                   AND starts_at >= $11 AND starts_at < $12",
            $also,
            " AND (starts_at, event_id) > ($9, $10)
                 ORDER BY starts_at, event_id
                 LIMIT $7 OFFSET $8
             ) AS page ON true
             ORDER BY starts_at, event_id",
        )
    };
}

#[async_trait]
impl EventQueries for PostgresReadModels {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError> {
        let row =
            sqlx::query(self.sql("SELECT event_id, status, version, view FROM read_models.events WHERE event_id = $1"))
                .bind(id.uuid())
                .fetch_optional(&self.pool)
                .await
                .map_err(failed)?;
        row.as_ref().map(event_from).transpose()
    }

    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError> {
        let query = sqlx::query(self.sql(statement(wanted)));
        let rows = with_parameters(query, wanted, drafts, page)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        listed(&rows, page, "event_id", event_from)
    }
}

/// Returns the statement that finds the wanted events by the smallest index.
fn statement(wanted: Option<&EventsWanted>) -> &'static str {
    match wanted {
        Some(wanted) if wanted.begun.is_empty() && wanted.to_come == [EventStatus::SalesOpen] => {
            list_of_events!(" AND status = 'sales_open'")
        }
        _ => list_of_events!(""),
    }
}

fn with_parameters<'q>(
    query: Query<'q, Postgres, PgArguments>,
    wanted: Option<&EventsWanted>,
    drafts: DraftsVisible,
    page: Page,
) -> Query<'q, Postgres, PgArguments> {
    let (all_drafts, drafts_of) = match drafts {
        DraftsVisible::None => (false, None),
        DraftsVisible::OwnedBy(owner) => (false, Some(owner.uuid())),
        DraftsVisible::All => (true, None),
    };
    let (from, to) = span(wanted);
    query
        .bind(EventStatus::Draft.as_str())
        .bind(all_drafts)
        .bind(drafts_of)
        .bind(wanted.map_or(Timestamp::UNIX_EPOCH, |wanted| wanted.now))
        .bind(names(wanted.map(|wanted| wanted.to_come.as_slice())))
        .bind(names(wanted.map(|wanted| wanted.begun.as_slice())))
        .bind(one_more_than(page))
        .bind(offset(page))
        .bind(page.cursor().map_or(Timestamp::UNIX_EPOCH, |cursor| cursor.at))
        .bind(page.cursor().map_or(Uuid::nil(), |cursor| cursor.id))
        .bind(from)
        .bind(to)
}

/// Returns the times between which the wanted events begin: from the first time on, and before the second one. A list
/// without events that have begun starts at the present, so that it does not go through all that was on sale before.
fn span(wanted: Option<&EventsWanted>) -> (Timestamp, Timestamp) {
    let mut span = (Timestamp::UNIX_EPOCH, Timestamp::MAX_UTC);
    if let Some(wanted) = wanted {
        span.0 = wanted.from.unwrap_or(span.0);
        span.1 = wanted.to.unwrap_or(span.1);
        if wanted.begun.is_empty() {
            span.0 = span.0.max(wanted.now);
        }
        if wanted.to_come.is_empty() {
            span.1 = span.1.min(wanted.now + TimeDelta::microseconds(1));
        }
    }
    span
}

/// Returns the names of the wanted statuses, or of all statuses if `wanted` is `None`.
fn names(wanted: Option<&[EventStatus]>) -> Vec<&'static str> {
    let wanted = wanted.unwrap_or(&EventStatus::ALL);
    wanted.iter().map(|status| status.as_str()).collect()
}

fn event_from(row: &PgRow) -> Result<EventView, StoreError> {
    let cells = Cells {
        row,
        table: "events",
        key: "event_id",
    };
    let Json(view): Json<EventView> = cells.get("view")?;
    Ok(EventView {
        status: cells.parse("status", EventStatus::parse)?,
        version: Version(cells.count("version")?),
        ..view
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, DatabaseOptions, Purpose};

    /// Fills the table with events of all statuses, one each minute: half of them have begun at `now`, and one of a
    /// hundred is on sale.
    const MANY_EVENTS: &str = "
        INSERT INTO read_models.events (event_id, owner_id, status, version, starts_at, view)
        SELECT gen_random_uuid(), gen_random_uuid(),
               (ARRAY['published', 'draft', 'sales_closed', 'cancelled'])[1 + number % 4], 1,
               to_timestamp(1000000000 + number * 60), '{}'
        FROM generate_series(1, 20000) AS number;
        UPDATE read_models.events SET status = 'sales_open'
        WHERE extract(epoch FROM starts_at)::bigint / 60 % 100 = 0;
        ANALYZE read_models.events";

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(1_000_000_000) + TimeDelta::minutes(10_000)
    }

    fn wanted(to_come: &[EventStatus], begun: &[EventStatus]) -> EventsWanted {
        EventsWanted {
            now: now(),
            to_come: to_come.to_vec(),
            begun: begun.to_vec(),
            from: None,
            to: None,
        }
    }

    async fn plan_of(store: &PostgresReadModels, wanted: &EventsWanted) -> String {
        let statement = format!("EXPLAIN {}", statement(Some(wanted)));
        let page = Page::new(1, Page::DEFAULT_SIZE).unwrap();
        let query = sqlx::query(sqlx::AssertSqlSafe(statement));
        let rows = with_parameters(query, Some(wanted), DraftsVisible::None, page)
            .fetch_all(&store.pool)
            .await
            .unwrap();
        let lines: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn the_lists_that_people_read_are_found_by_an_index() {
        let postgres = test_services::postgres().await.unwrap();
        let url = postgres.fresh_database("projections").await.unwrap();
        let options = DatabaseOptions::default();
        let database = Database::connect(Purpose::Projections, &url, &options).await.unwrap();
        database.migrate().await.unwrap();
        let store = PostgresReadModels::new(&database);
        sqlx::raw_sql(MANY_EVENTS).execute(&store.pool).await.unwrap();

        let visitable = [EventStatus::Published, EventStatus::SalesOpen, EventStatus::SalesClosed];
        let day = EventsWanted {
            from: Some(now() - TimeDelta::days(2)),
            to: Some(now() - TimeDelta::days(1)),
            ..wanted(&EventStatus::ALL, &EventStatus::ALL)
        };
        for (name, wanted, index) in [
            ("on sale", wanted(&[EventStatus::SalesOpen], &[]), "events_on_sale"),
            ("upcoming", wanted(&visitable, &[]), "events_by_start"),
            ("one day", day, "events_by_start"),
        ] {
            let plan = plan_of(&store, &wanted).await;
            assert!(plan.contains(index), "{name}: {plan}");
            // The list of one page never goes through the whole table, and its rows come in order.
            let page = plan.split("Limit").nth(1).unwrap();
            assert!(page.contains("Index Scan using"), "{name}: {plan}");
            assert!(!page.contains("Sort"), "{name}: {plan}");
        }
    }
}
