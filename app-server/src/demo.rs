//! The command `demo`: serves with a made-up event on sale, links to sign in with, and three lines to paste into a
//! terminal.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use adapters_external::SystemClock;
use adapters_http::HtmlPage;
use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use chrono::TimeDelta;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::event_list::EventsAsked;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::event_details::{EventStatus, PricingTier, Venue};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::paging::Page;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, RowPlan, Seating};
use ticketing_runtime::{ConsistencyToken, Failure, Request, UnavailableCause};
use tokio::time::{sleep, timeout};

use crate::config::{Demo, Settings, StorageUrl};
use crate::serve::{Listeners, Serving, public_url};
use crate::terminal::tell;
use crate::wiring::RunningServer;

const NAME: &str = "Night of the Proms (demo)";
const PASSKEY_PAGE: &str = "/demo/passkey";
const ADMIN: &str = "admin@example.com";
const CUSTOMER: &str = "customer@example.com";
/// How long the demonstration waits at most until its event is shown to readers.
const UNTIL_SHOWN: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Makes the event and the users, prints how to try them out, and serves until the process is told to stop.
///
/// # Errors
/// When the address, the storage or the sessions file cannot be used.
pub async fn demo(settings: &Settings, wanted: &Demo) -> anyhow::Result<()> {
    let mut settings = settings.clone();
    settings.protection.demonstration = true;
    settings.live.ws_visitors.get_or_insert(true);
    let settings = &settings;
    let listeners = Listeners::bind(settings).await?;
    let url = public_url(settings, listeners.address()?);
    let serving = Serving::begin(settings, listeners).await?;
    let server = RunningServer::start(settings, &url, serving.capacity(), serving.stopping()).await?;
    let stage = Stage::set(&server, settings).await?;
    let mut told = stage.invitation(&server, &url).await?;
    if let Some((customers, file)) = wanted.sign_ins() {
        told += &stage.sign_customers_in(&server, customers, file).await?;
    }
    serving.open(settings, &server, pages());
    // This text is printed and not logged, because it contains sign-in links.
    tell(&told)?;
    serving.run(settings, server).await
}

/// Returns the extra pages of the demonstration, on which people can try passkeys in a browser.
fn pages() -> Router {
    let passkey = HtmlPage::new(include_str!("../../examples/passkey.html"));
    Router::new().route(PASSKEY_PAGE, get(async move || passkey))
}

struct Stage {
    event: EventId,
    admin: User,
    customer: User,
    /// A sentence for the user: where the data is kept, and whether an earlier demonstration left data there.
    kept: String,
}

impl Stage {
    /// Finds the event of an earlier demonstration if it is still on sale, and makes one otherwise.
    async fn set(server: &RunningServer, settings: &Settings) -> anyhow::Result<Self> {
        let admin = person(server, ADMIN, Role::Admin).await?;
        let customer = person(server, CUSTOMER, Role::Customer).await?;
        let (event, is_new) = match on_sale_already(server).await? {
            Some(event) => (event, false),
            None => (put_on_sale(server, &admin).await?, true),
        };
        let kept = where_it_is_kept(&settings.storage.events, is_new);
        Ok(Self {
            event,
            admin,
            customer,
            kept,
        })
    }

    async fn invitation(&self, server: &RunningServer, url: &str) -> anyhow::Result<String> {
        let admin_link = server.sign_in.ceremonies.issue_link(&self.admin.email).await?;
        let customer_link = server.sign_in.ceremonies.issue_link(&self.customer.email).await?;
        let for_curl = server.sign_in.ceremonies.issue_link(&self.customer.email).await?;
        let token = for_curl.split_once("#token=").map_or("", |(_, token)| token);
        let event = self.event;
        let kept = &self.kept;
        // In each demonstration, the shell variable with curl's session has another name. Otherwise a shell could
        // still have the session of an earlier demonstration in it, which this server would refuse.
        let session = format!("SESSION_{}", &server.http.ids.uuid().simple().to_string()[24..]);
        let pick = |field: &str| format!(r#"grep -o '"{field}":"[^"]*' | cut -d'"' -f4"#);
        Ok(format!(
            r#"
The box office is open at {url} and documented at {url}/docs.
{kept}
On sale: "{NAME}", event {event}, sections VIP (numbered) and General.

Sign in (each link works once, for 15 minutes):
  as administrator  {admin_link}
  as customer       {customer_link}

Passkeys and tickets in a browser: {url}{PASSKEY_PAGE}

Or paste these lines into a terminal to sign in, hold two seats and pay for them, as often as you like:

: "${{{session}:=$(curl -s '{url}/api/auth/magic-link/verify?token={token}' | {pick_session})}}"
HELD=$(curl -s '{url}/api/reservations' -H "Authorization: Bearer ${session}" -H 'Content-Type: application/json' -d '{{"event_id":"{event}","section":"General","quantity":2}}'); echo "$HELD"
curl -s "{url}/api/reservations/$(echo "$HELD" | {pick_reservation})/payment" -H "Authorization: Bearer ${session}" -H 'Content-Type: application/json' -d '{{"payment_method":{{"type":"card","token":"tok_visa"}}}}'; echo

Payments go to a sandbox: no money moves.
"#,
            pick_session = pick("session_id"),
            pick_reservation = pick("reservation_id"),
        ))
    }

    /// Signs made-up customers in and writes the secrets of their sessions to a file, one on each line.
    async fn sign_customers_in(&self, server: &RunningServer, customers: u32, file: &Path) -> anyhow::Result<String> {
        let mut sessions = String::new();
        for number in 1..=customers {
            let user = person(server, &format!("customer{number}@example.com"), Role::Customer).await?;
            let signed_in = server.sign_in.sessions.open(&user).await?;
            writeln!(sessions, "{}", signed_in.secret.expose()).expect("writing to a string cannot fail");
        }
        std::fs::write(file, sessions)
            .with_context(|| format!("--sessions-file: {} cannot be written", file.display()))?;
        let admin = server.sign_in.sessions.open(&self.admin).await?;
        Ok(format!(
            "{customers} customers are signed in, their sessions are in {}.\nADMIN_SESSION={}\nEVENT={}\n",
            file.display(),
            admin.secret.expose(),
            self.event
        ))
    }
}

fn where_it_is_kept(log: &StorageUrl, is_new: bool) -> String {
    let place = match log {
        StorageUrl::Memory => return "Everything is in memory and forgotten at the end.".to_owned(),
        StorageUrl::Sqlite(path) => {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            format!("the file {}", path.display())
        }
        StorageUrl::Postgres(_) => "the databases of the settings".to_owned(),
    };
    if is_new {
        format!("Everything is kept in {place}; the next demonstration goes on there.")
    } else {
        format!("It goes on with what an earlier demonstration left in {place}.")
    }
}

async fn person(server: &RunningServer, address: &str, role: Role) -> anyhow::Result<User> {
    let email = EmailAddress::parse(address).context("the made-up address is not an address")?;
    let user = server.sign_in.accounts.ensure(&email, role).await?.into_user();
    if user.role != role {
        server.sign_in.accounts.set_role(user.id, role).await?;
    }
    Ok(User { role, ..user })
}

async fn on_sale_already(server: &RunningServer) -> anyhow::Result<Option<EventId>> {
    let page = Page::new(1, Page::MAX_SIZE).context("the first page is not a page")?;
    let on_sale = EventsAsked {
        statuses: Some(vec![EventStatus::SalesOpen]),
        ..EventsAsked::default()
    };
    let events = server.http.desk.events(None, &on_sale, page).await?;
    Ok(events
        .rows
        .iter()
        .find(|event| event.details.name.as_str() == NAME)
        .map(|event| event.event_id))
}

async fn put_on_sale(server: &RunningServer, admin: &User) -> anyhow::Result<EventId> {
    let by = Actor {
        user_id: admin.id,
        role: admin.role,
    };
    let office = server.box_office();
    let event = office.create_event(request(by, draft())).await?.value.event_id;
    office.publish(request(by, event)).await?;
    let opened = office.open_sales(request(by, event)).await?;
    until_shown(server, &opened.consistency).await?;
    Ok(event)
}

/// Waits until readers are shown a change. On a busy machine the read models may need longer than a reader waits for
/// them.
async fn until_shown(server: &RunningServer, change: &ConsistencyToken) -> anyhow::Result<()> {
    let shown = async {
        loop {
            match server.http.desk.catch_up(change).await {
                Err(Failure::Unavailable(UnavailableCause::ReadModelsLag)) => sleep(BETWEEN_LOOKS).await,
                shown => return shown,
            }
        }
    };
    let shown = timeout(UNTIL_SHOWN, shown).await;
    shown.with_context(|| format!("the event on sale is not shown after {UNTIL_SHOWN:?}"))??;
    Ok(())
}

fn request<C>(by: Actor, command: C) -> Request<C> {
    let correlation_id = CorrelationId::parse("demo").expect("`demo` is a correlation id");
    Request {
        by: by.into(),
        correlation_id,
        trace: None,
        idempotency: None,
        command,
    }
}

fn draft() -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short plain text is a label");
    let tier = |section: &str, amount: i64| {
        PricingTier::always(label(section), label("regular"), Money::new(amount, Currency::EUR))
    };
    let rows = ["A", "B", "C", "D", "E"].map(|row| RowPlan::numbered(label(row), 20));
    EventDraft {
        category: Some(label("concert")),
        ..EventDraft::new(
            label(NAME),
            Currency::EUR,
            SystemClock::new().now() + TimeDelta::days(60),
            Venue {
                name: label("Sportpaleis"),
                city: label("Antwerp"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            vec![
                SectionDraft::new(label("VIP"), Seating::Numbered { rows: rows.to_vec() }),
                SectionDraft::new(label("General"), Seating::GeneralAdmission { capacity: 500 }),
            ],
            vec![tier("VIP", 12_000), tier("General", 5_000)],
        )
    }
}
