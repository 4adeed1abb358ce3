//! Checks that every port is listed here, either as one that keeps personal data and can erase them, or with the reason
//! why it need not; and that every text in a fact is listed here with who writes it.
//!
//! A store that cannot erase a person works well until a person asks to be erased. Facts cannot be erased at all, so
//! what a customer writes must not be in a fact.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Fields, Item, TypeParamBound};

/// Whether a port keeps personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// The port keeps personal data. The server erases them when it erases the account of the person.
    Something,
    Nothing(&'static str),
}
use Keeps::{Nothing, Something};

const IDS_ONLY: Keeps = Nothing("facts and what is derived from them hold ids, never a name or an address");
const PORTS: &[(&str, Keeps)] = &[
    ("AvailabilityQueries", IDS_ONLY),
    ("ChallengeStore", Nothing("known by a secret, and gone within minutes")),
    ("BuyerStore", Something),
    ("Clock", Nothing("stores nothing")),
    ("DeadLetterStore", IDS_ONLY),
    ("DeadlineStore", IDS_ONLY),
    ("Entropy", Nothing("stores nothing")),
    ("Erase", Nothing("is how the others forget")),
    ("EventPublisher", IDS_ONLY),
    ("EventQueries", IDS_ONLY),
    ("EventStore", IDS_ONLY),
    ("EventSubscriber", IDS_ONLY),
    ("FollowerStore", IDS_ONLY),
    ("IdSource", Nothing("stores nothing")),
    ("IdempotencyStore", Nothing("answers about ids, gone after a day")),
    ("IdentityProvider", Nothing("what it knows it knows without us")),
    ("IdentityStore", Something),
    ("Mailer", Nothing("hands on what it is given")),
    ("OneTimeTokenStore", Something),
    ("PasskeyStore", Something),
    ("PaymentGateway", Nothing("is told ids and amounts")),
    ("PaymentQueries", IDS_ONLY),
    ("ProjectionStore", IDS_ONLY),
    ("RateLimiter", Nothing("counts networks, for as long as a window is")),
    ("RelyingParty", Nothing("stores nothing")),
    ("ReservationQueries", IDS_ONLY),
    ("SalesQueries", IDS_ONLY),
    ("SessionStore", Something),
    ("SnapshotStore", IDS_ONLY),
    ("Subscription", IDS_ONLY),
    ("UserStore", Something),
];

/// Each text in a fact, as type and field, and who writes it.
const WRITTEN_BY: &[(&str, &str)] = &[
    ("EventCancelled.reason", "the organiser"),
    ("EventDetails.category", "the organiser"),
    ("EventDetails.genre", "the organiser"),
    ("EventDetails.name", "the organiser"),
    ("Fee.name", "the organiser"),
    ("Line.section", "the organiser"),
    ("Line.tier", "the organiser"),
    ("NamedCode.code", "the organiser"),
    ("NamedTicketType.name", "the organiser"),
    ("PaymentAuthorized.last_four", "the payment gateway"),
    ("Pool.name", "the organiser"),
    ("PoolMember.section", "the organiser"),
    ("PoolMember.ticket_type", "the organiser"),
    ("PricePart.name", "the organiser"),
    ("PricingTier.section", "the organiser"),
    ("PricingTier.ticket_type", "the organiser"),
    ("PricingTier.tier", "the organiser"),
    ("RefundRequested.reason", "an administrator"),
    ("RowPlan.row", "the organiser"),
    ("SeatId.row", "the organiser"),
    ("SeatLabel.0", "the organiser"),
    ("Section.name", "the organiser"),
    ("SectionOpened.name", "the organiser"),
    ("SoldLine.section", "the organiser"),
    ("SoldLine.tier", "the organiser"),
    ("Tax.name", "the organiser"),
    ("TicketType.name", "the organiser"),
    ("Venue.city", "the organiser"),
    ("Venue.country", "the organiser"),
    ("Venue.name", "the organiser"),
    ("Venue.timezone", "the organiser"),
];

#[test]
fn every_port_can_forget_people_or_says_why_it_need_not() {
    let mut decided: BTreeMap<&str, Keeps> = PORTS.iter().copied().collect();
    for (name, can_erase) in ports() {
        let Some(keeps) = decided.remove(name.as_str()) else {
            panic!("does {name} keep anything of people? Say so here; if it does, let it require Erase");
        };
        let has_to = !matches!(keeps, Nothing(_));
        assert_eq!(can_erase, has_to, "{name}: whether it requires Erase");
    }
    assert!(
        decided.is_empty(),
        "these ports are listed, but do not exist: {decided:?}"
    );
}

#[test]
fn erasing_an_account_reaches_every_store_of_the_server_with_something_of_people() {
    let fields = fields_of_the_bundles();
    let place = fs::read_to_string(root().join("ticketing-runtime/src/sign_in/accounts/personal.rs")).unwrap();
    for (port, keeps) in PORTS {
        let field = fields.get(*port);
        match keeps {
            Something => {
                let field = field.unwrap_or_else(|| panic!("no bundle has a {port}"));
                assert!(
                    place.contains(&format!("stores.push({field}.clone())")),
                    "erasing an account does not reach the {port}"
                );
            }
            Nothing(_) => {}
        }
    }
}

/// Returns every public trait of `ticketing-ports`, and whether it requires
/// [`Erase`](ticketing_ports::people::erase::Erase).
fn ports() -> Vec<(String, bool)> {
    let mut ports = Vec::new();
    for file in files_below(&root().join("ticketing-ports/src")) {
        for item in items_of(&file) {
            let Item::Trait(port) = item else { continue };
            let erases =
                |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if bound.path.is_ident("Erase"));
            ports.push((port.ident.to_string(), port.supertraits.iter().any(erases)));
        }
    }
    assert!(ports.len() > 20, "most of the ports were not found");
    ports
}

/// Maps the name of each port to the name of the field that holds it, over all structs that bundle stores of people.
fn fields_of_the_bundles() -> BTreeMap<String, String> {
    let mut by_port = BTreeMap::new();
    for item in items_of(&root().join("ticketing-ports/src/people/stores.rs")) {
        let Item::Struct(bundle) = item else { continue };
        let Fields::Named(fields) = bundle.fields else {
            continue;
        };
        for field in fields.named {
            let text = field.ty.to_token_stream().to_string();
            let port = text.strip_prefix("Arc < dyn ").and_then(|text| text.strip_suffix(" >"));
            if let (Some(port), Some(name)) = (port, field.ident) {
                by_port.insert(port.to_owned(), name.to_string());
            }
        }
    }
    assert!(
        by_port.contains_key("UserStore"),
        "the bundles of stores were not found in the file that is read"
    );
    by_port
}

#[test]
fn every_text_in_a_fact_is_written_by_somebody_other_than_a_customer() {
    let types = types();
    let mut texts = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut reached = payloads();
    assert!(reached.len() > 25, "most of the payloads were not found: {reached:?}");
    while let Some(name) = reached.pop() {
        let Some(fields) = types.get(&name).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        for (field, parts) in fields {
            if parts
                .iter()
                .any(|part| part == "Label" || part == "String" || part == "str")
            {
                texts.insert(format!("{name}.{field}"));
            }
            reached.extend(parts.iter().filter(|part| *part != "Label").cloned());
        }
    }
    let listed: BTreeSet<_> = WRITTEN_BY.iter().map(|(text, _)| (*text).to_owned()).collect();
    let unlisted: Vec<_> = texts.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "who writes {unlisted:?}? List that here; what a customer writes must not be in a fact"
    );
    let gone: Vec<_> = listed.difference(&texts).collect();
    assert!(gone.is_empty(), "these are listed, and no fact has them: {gone:?}");
}

/// Returns the names in the declarations of all facts. Those of the payloads are among them.
fn payloads() -> Vec<String> {
    let files = ["catalog", "inventory", "payment", "reservation"];
    let items = files.map(|aggregate| items_of(&root().join(format!("ticketing-domain/src/{aggregate}/event.rs"))));
    let names = items.into_iter().flatten().filter_map(|item| match item {
        Item::Macro(declared) if declared.mac.path.is_ident("stored_events") => Some(names_in(declared.mac.tokens)),
        _ => None,
    });
    names.flatten().collect()
}

/// Maps each type of the domain and the vocabulary to its fields, each with the names in its type. The fields of an
/// enum are those of all its variants.
fn types() -> BTreeMap<String, Vec<(String, Vec<String>)>> {
    let mut types = BTreeMap::new();
    let folders = ["ticketing-domain/src", "ticketing-ports/src/vocabulary"];
    let files = folders.iter().flat_map(|folder| files_below(&root().join(folder)));
    for item in files.flat_map(|file| items_of(&file)) {
        match item {
            Item::Struct(item) => {
                types.insert(item.ident.to_string(), named(&item.fields));
            }
            Item::Enum(item) => {
                let fields = item.variants.iter().flat_map(|variant| named(&variant.fields));
                types.insert(item.ident.to_string(), fields.collect());
            }
            Item::Type(alias) => {
                let names = names_in(alias.ty.to_token_stream());
                types.insert(alias.ident.to_string(), vec![("0".to_owned(), names)]);
            }
            _ => {}
        }
    }
    types
}

/// Returns the fields with the names in their types. A field without a name has its number.
fn named(fields: &Fields) -> Vec<(String, Vec<String>)> {
    let fields = fields.iter().enumerate().map(|(number, field)| {
        let name = field
            .ident
            .as_ref()
            .map_or_else(|| number.to_string(), ToString::to_string);
        (name, names_in(field.ty.to_token_stream()))
    });
    fields.collect()
}

fn names_in(tokens: TokenStream) -> Vec<String> {
    let names = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(name) => vec![name.to_string()],
        TokenTree::Group(group) => names_in(group.stream()),
        _ => Vec::new(),
    });
    names.collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

fn items_of(path: &Path) -> Vec<Item> {
    let text = fs::read_to_string(path).unwrap();
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.items
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
