//! What a hold costs that has several lines, is of a ticket type, counts in quotas, or whose customer has a limit of
//! holds, compared with a hold of one line without any of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapters_memory::InMemoryEventStore;
use adapters_sqlite::SqliteStore;
use ticketing_domain::catalog::EventDraft;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::Discount;
use ticketing_ports::vocabulary::seating::{Label, Seating};
use ticketing_runtime::{AddCodes, BoxOffice, EngineConfig, HoldSeats, WantedLine};

use crate::stage::{ORGANISER, customer, draft, engine_with, on_sale_as, ports, request};

const CALLERS: usize = 100;
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds each kind of hold has. They alternate, so that noise of the machine affects both alike.
const ROUNDS: u32 = 5;
const SECTIONS: [&str; 4] = ["Main", "Balcony", "Boxes", "Gallery"];

/// A kind of hold. Each is of four places.
#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    /// The section and the ticket type of each line.
    lines: &'static [(usize, Option<&'static str>)],
    terms: Terms,
    /// In how many reservations a customer may hold seats at a time.
    max_live_holds: Option<u32>,
}

/// What the event says about its tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terms {
    /// All tickets of a section are alike.
    Alike,
    /// Each section has two ticket types.
    Types,
    /// Each section has two types; tickets of the first are counted, and a pool is over all sections.
    Quotas,
    /// There is a code, which has been used for 10,000 tickets, and each hold enters it.
    Code(CodeLimits),
}

/// How often a code may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodeLimits {
    InAll,
    InAllAndPerCustomer,
}

const KINDS: [Kind; 10] = [
    ONE_LINE,
    Kind {
        name: "two lines, two sections",
        lines: &[(0, None), (1, None)],
        ..ONE_LINE
    },
    Kind {
        name: "four lines, four sections",
        lines: &[(0, None), (1, None), (2, None), (3, None)],
        ..ONE_LINE
    },
    Kind {
        name: "one line of a type",
        lines: &[(0, REGULAR)],
        terms: Terms::Types,
        ..ONE_LINE
    },
    Kind {
        name: "four lines, two sections, two types",
        lines: FOUR,
        terms: Terms::Types,
        ..ONE_LINE
    },
    Kind {
        name: "four lines, counted and in a pool",
        lines: FOUR,
        terms: Terms::Quotas,
        ..ONE_LINE
    },
    Kind {
        name: "one line, at most 3 live holds",
        max_live_holds: Some(3),
        ..ONE_LINE
    },
    Kind {
        name: "four lines, at most 3 live holds",
        lines: FOUR,
        terms: Terms::Types,
        max_live_holds: Some(3),
    },
    Kind {
        name: "one line with a code",
        terms: Terms::Code(CodeLimits::InAll),
        ..ONE_LINE
    },
    Kind {
        name: "one line with a code for few of each",
        terms: Terms::Code(CodeLimits::InAllAndPerCustomer),
        ..ONE_LINE
    },
];

/// For how many tickets the code has been used before the round.
const USES: usize = 10_000;
const CODE: &str = "SPRING";

const ONE_LINE: Kind = Kind {
    name: "one line",
    lines: &[(0, None)],
    terms: Terms::Alike,
    max_live_holds: None,
};
const REGULAR: Option<&str> = Some("regular");
const STUDENT: Option<&str> = Some("student");
const FOUR: &[(usize, Option<&str>)] = &[(0, REGULAR), (0, STUDENT), (1, REGULAR), (1, STUDENT)];

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
pub(crate) async fn measure() {
    for store in ["memory", "sqlite"] {
        println!(
            "\nholds of four places on {store}, {} sections, {CALLERS} callers",
            SECTIONS.len()
        );
        println!("{:>36} {:>10} {:>18}", "", "holds/s", "cost in one-line");
        let mut rates = [0.0; KINDS.len()];
        for _ in 0..ROUNDS {
            for (rate, kind) in rates.iter_mut().zip(KINDS) {
                *rate += round(store, kind).await / f64::from(ROUNDS);
            }
        }
        for (rate, Kind { name, .. }) in rates.iter().zip(KINDS) {
            println!("{name:>36} {rate:>10.0} {:>17.2}x", rates[0] / rate);
        }
    }
}

async fn round(store: &str, kind: Kind) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let ports = match store {
        "memory" => ports(Arc::new(InMemoryEventStore::new())),
        _ => {
            let file = SqliteStore::open(folder.path().join("bench.db")).await;
            ports(Arc::new(file.expect("a new SQLite file can be opened")))
        }
    };
    let config = EngineConfig {
        max_live_holds: kind.max_live_holds,
        ..EngineConfig::default()
    };
    let engine = engine_with(ports, config).await;
    let office = engine.box_office();
    let mut draft = draft(&SECTIONS, &Seating::GeneralAdmission { capacity: 1_000_000 });
    kind.terms.apply_to(&mut draft);
    let event = on_sale_as(&office, draft).await;
    let hold = hold_of(event, kind.lines);
    let hold = match kind.terms {
        Terms::Code(limits) => {
            add_code(&office, event, limits).await;
            let hold = hold.with_code(CODE);
            use_up(&office, &hold).await;
            hold
        }
        _ => hold,
    };
    let rate = holds_per_second(&office, &hold).await;
    engine.shut_down(Duration::from_secs(10)).await;
    rate
}

async fn add_code(office: &BoxOffice, event_id: EventId, limits: CodeLimits) {
    let add = AddCodes {
        event_id,
        codes: vec![Label::new(CODE).expect("a short plain text is a valid label")],
        rules: CodeRules {
            discount: Some(Discount::Percent(Percent::whole(20))),
            max_uses: Some(100_000_000),
            max_uses_per_customer: (limits == CodeLimits::InAllAndPerCustomer).then_some(4),
            ..CodeRules::default()
        },
    };
    office
        .add_codes(request(ORGANISER, add))
        .await
        .expect("the code is new");
}

async fn use_up(office: &BoxOffice, hold: &HoldSeats) {
    for number in 0..USES / 4 {
        let by = customer(1_000_000_000 + number);
        office
            .hold(request(by, hold.clone()))
            .await
            .expect("the code has uses left");
    }
}

/// Each hold is of another customer, so that nobody reaches a limit.
async fn holds_per_second(office: &BoxOffice, hold: &HoldSeats) -> f64 {
    let held = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (office, held, hold) = (office.clone(), Arc::clone(&held), hold.clone());
        tasks.spawn(async move {
            while started.elapsed() < ROUND {
                let by = customer(held.fetch_add(1, Ordering::Relaxed));
                let answer = office.hold(request(by, hold.clone())).await;
                answer.expect("there are places enough for this round");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task of a caller panics");
    }
    held.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

fn hold_of(event_id: EventId, lines: &[(usize, Option<&str>)]) -> HoldSeats {
    let places_of_a_line = 4 / u32::try_from(lines.len()).expect("there are at most four lines");
    let wanted = lines.iter().map(|(section, ticket_type)| WantedLine {
        ticket_type: ticket_type.map(ToOwned::to_owned),
        ..WantedLine::best(SECTIONS[*section], places_of_a_line)
    });
    HoldSeats {
        lines: wanted.collect(),
        ..HoldSeats::best(event_id, SECTIONS[0], 4)
    }
}

impl Terms {
    fn apply_to(self, draft: &mut EventDraft) {
        if matches!(self, Self::Alike | Self::Code(_)) {
            return;
        }
        let label = |text: &str| Label::new(text).expect("a short plain text is a valid label");
        let types = || [REGULAR, STUDENT].into_iter().flatten().map(label);
        draft.sections = std::mem::take(&mut draft.sections)
            .into_iter()
            .map(|section| section.with_types(types()))
            .collect();
        draft.pricing_tiers = std::mem::take(&mut draft.pricing_tiers)
            .into_iter()
            .flat_map(|tier| types().map(move |of| tier.clone().of_type(of)))
            .collect();
        if self == Self::Quotas {
            draft.pricing_tiers[0].quantity = Some(10_000_000);
            let members = draft
                .sections
                .iter()
                .map(|section| PoolMember::all_of(section.name.clone()));
            draft.pools = vec![Pool::new(label("the house"), 10_000_000, members)];
        }
    }
}
