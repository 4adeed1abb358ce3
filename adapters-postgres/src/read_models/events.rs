//! Queries for events.

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::event_search::SearchTerm;
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
    let on_sale = wanted.is_some_and(|wanted| wanted.begun.is_empty() && wanted.to_come == [EventStatus::SalesOpen]);
    match (on_sale, search(wanted).is_some()) {
        (true, true) => list_of_events!(" AND status = 'sales_open' AND search @@ $13::tsquery"),
        (true, false) => list_of_events!(" AND status = 'sales_open'"),
        (false, true) => list_of_events!(" AND search @@ $13::tsquery"),
        (false, false) => list_of_events!(""),
    }
}

/// Returns what is searched for, as a `tsquery`; `None` if nothing is.
fn search(wanted: Option<&EventsWanted>) -> Option<String> {
    let terms = wanted?.search.terms().iter().map(|term| match term {
        SearchTerm::BeginsWith(beginning) => format!("{}:*", quoted(beginning)),
        SearchTerm::Is(whole) => quoted(whole),
    });
    let terms: Vec<_> = terms.collect();
    (!terms.is_empty()).then(|| terms.join(" & "))
}

fn quoted(term: &str) -> String {
    format!("'{}'", term.replace('\\', "\\\\").replace('\'', "''"))
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
    let query = query
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
        .bind(to);
    match search(wanted) {
        Some(search) => query.bind(search),
        None => query,
    }
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
    use std::collections::BTreeSet;

    use ticketing_ports::read_models::event_search::{EventSearch, terms_of};
    use ticketing_ports::vocabulary::event_details::{EventDetails, Venue};
    use ticketing_ports::vocabulary::money::Currency;
    use ticketing_ports::vocabulary::pricing::PriceRules;
    use ticketing_ports::vocabulary::seating::Label;

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
        UPDATE read_models.events SET search = array_to_tsvector(ARRAY['word:rare'])
        WHERE extract(epoch FROM starts_at)::bigint / 60 % 1000 = 0;
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
            search: EventSearch::default(),
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

    async fn fresh_store() -> PostgresReadModels {
        let postgres = test_services::postgres().await.unwrap();
        let url = postgres.fresh_database("projections").await.unwrap();
        let options = DatabaseOptions::default();
        let database = Database::connect(Purpose::Projections, &url, &options).await.unwrap();
        database.migrate().await.unwrap();
        PostgresReadModels::new(&database)
    }

    #[tokio::test]
    async fn the_migration_makes_the_terms_of_earlier_events_as_the_server_makes_them() {
        let store = fresh_store().await;
        let label = |text: &str| Label::new(text).unwrap();
        let details = EventDetails {
            name: label("Café Noir: It's \\ the 'Proms' 音楽祭"),
            category: Some(label("Rock & Pop")),
            genre: None,
            currency: Currency::EUR,
            starts_at: now(),
            venue: Venue {
                name: label("Sportpaleis"),
                city: label("Liège  Nord"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            sections: Vec::new(),
            pricing_tiers: Vec::new(),
            hold_seconds: 300,
            extensions: None,
            max_seats_per_order: 8,
            max_seats_per_customer: None,
            refund_policy: Vec::new(),
            pools: Vec::new(),
            price_rules: PriceRules::default(),
        };
        sqlx::raw_sql("ALTER TABLE read_models.events DROP COLUMN search")
            .execute(&store.pool)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO read_models.events (event_id, owner_id, status, version, starts_at, view)
             VALUES (gen_random_uuid(), gen_random_uuid(), 'published', 1, now(), json_build_object('details', $1::json))",
        )
        .bind(Json(&details))
        .execute(&store.pool)
        .await
        .unwrap();
        let migration = include_str!("../../migrations/projections/0013_event_search.sql");
        sqlx::raw_sql(migration).execute(&store.pool).await.unwrap();
        let terms: Vec<String> = sqlx::query_scalar("SELECT tsvector_to_array(search) FROM read_models.events")
            .fetch_one(&store.pool)
            .await
            .unwrap();
        assert_eq!(terms.into_iter().collect::<BTreeSet<_>>(), terms_of(&details));
    }

    #[tokio::test]
    async fn the_lists_that_people_read_are_found_by_an_index() {
        let store = fresh_store().await;
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
        let rare = EventsWanted {
            search: EventSearch::new(Some("rare"), None, None),
            ..wanted(&visitable, &[])
        };
        let plan = plan_of(&store, &rare).await;
        assert!(plan.contains("events_by_search"), "{plan}");
    }
}
