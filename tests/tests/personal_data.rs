//! Checks that every port is listed here, either as one that keeps personal data and can erase them, or with the reason
//! why it need not.
//!
//! A store that cannot erase a person works well until a person asks to be erased.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
