//! The flags of the load tool, checked as far as that goes without a server.

use std::collections::BTreeMap;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use box_office_tests::client::{Bearer, Target};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use rand::{Rng, RngExt as _};
use thiserror::Error;
use ticketing_ports::vocabulary::ids::EventId;

const EXAMPLES: &str = "\
Examples:
  app-server demo --customers 100 --sessions-file sessions &
  load --sessions-file sessions --admin-session ID
      Thirty seconds of a hundred customers, then the books are checked.
  load --sessions-file sessions --admin-session ID --seating numbered --rows 50 --seats-per-row 40 --mix hold=100
      Only holds, of seats side by side, until they are gone and after.
  load --sessions-file sessions --admin-session ID --journal journal
  load --check-only --journal journal --admin-session ANOTHER
      Kill the server during the first, start it again, and see whether it kept its promises.

Exit code: 0 the books are right, 1 they are not, 2 a wrong flag, 3 the server could not be used to the end.";

/// Plays many customers of a box office at once, then checks its books.
#[derive(Debug, Parser)]
#[command(name = "load", after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Arguments {
    /// Where the server listens
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Server"
    )]
    pub url: Target,
    /// Session id of an administrator, to make an event, read its analytics and check a journal
    #[arg(long, value_name = "ID", allow_hyphen_values = true, help_heading = "Server")]
    pub admin_session: Option<Bearer>,

    /// A file with the session ids of customers, one on each line
    #[arg(long, value_name = "PATH", help_heading = "Customers")]
    pub sessions_file: Option<PathBuf>,
    /// Session id of a customer; may be given more than once
    #[arg(
        long = "customer-session",
        value_name = "ID",
        allow_hyphen_values = true,
        help_heading = "Customers"
    )]
    pub customer_sessions: Vec<Bearer>,
    /// How many customers to play; if there are fewer sessions, customers share them
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Customers",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub customers: u32,
    /// How many connections the customers share; without this flag each customer has a connection
    #[arg(long, value_name = "N", help_heading = "Customers", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub connections: Option<u32>,

    /// Sell tickets of this event, whose sales must be open, instead of making an event
    #[arg(long, value_name = "ID", help_heading = "Event")]
    pub event: Option<EventId>,
    /// Sell only this section of the given event; may be given more than once
    #[arg(long = "section", value_name = "NAME", requires = "event", help_heading = "Event")]
    pub sections_of_event: Vec<String>,
    /// Nobody else has sold or sells tickets of the given event, so the sums must agree exactly
    #[arg(long, requires = "event", help_heading = "Event")]
    pub sole_seller: bool,
    /// Whether the event to make has numbered seats or general admission
    #[arg(long, value_enum, default_value_t = Seating::General, conflicts_with = "event", help_heading = "Event")]
    pub seating: Seating,
    /// How many sections the event to make has, all alike
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "event", help_heading = "Event",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub sections: u32,
    /// How many people fit into each section with general admission
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        conflicts_with = "event",
        help_heading = "Event"
    )]
    pub capacity: u32,
    /// How many rows each section with numbered seats has
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        conflicts_with = "event",
        help_heading = "Event"
    )]
    pub rows: u32,
    /// How many seats each row has
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        conflicts_with = "event",
        help_heading = "Event"
    )]
    pub seats_per_row: u32,
    /// How many seconds a hold lasts; choose enough that none runs out while the books are read
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600, conflicts_with = "event", help_heading = "Event",
          value_parser = clap::value_parser!(u32).range(60..=3_600))]
    pub hold_seconds: u32,
    /// How many seats one customer may have of the event to make, in all orders; without this flag any number
    #[arg(long, value_name = "SEATS", conflicts_with = "event", help_heading = "Event",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_seats_per_customer: Option<u32>,

    /// Give each section of the event to make two ticket types, `regular` and `student`: with prices of their own, a few early
    /// birds, and a limited number of students in each section and in all sections together
    #[arg(long, conflicts_with = "event", help_heading = "Event")]
    pub ticket_types: bool,

    /// Give the event to make a fee on each ticket, one on each order and two taxes, and a code that a third of the holds of one
    /// section enter and that only a limited number of tickets may use
    #[arg(long, conflicts_with = "event", help_heading = "Event")]
    pub fees_and_codes: bool,

    /// How often the customers hold, pay, cancel and extend a hold, as weights relative to their sum
    #[arg(
        long,
        value_name = "WEIGHTS",
        default_value = "hold=70,pay=20,cancel=10,extend=5",
        help_heading = "Load"
    )]
    pub mix: Mix,
    /// How many payments in a hundred use a card that is declined
    #[arg(long, value_name = "PERCENT", default_value_t = 5, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub declined_percent: u32,
    /// How many holds in a hundred are of two sections, if there are at least two
    #[arg(long, value_name = "PERCENT", default_value_t = 25, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub two_sections_percent: u32,
    /// How many holds in a hundred are of two ticket types, in sections that have any
    #[arg(long, value_name = "PERCENT", default_value_t = 25, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub two_types_percent: u32,
    /// How many holds in a hundred are made without an account, by the secret of the order; they are paid for with an
    /// address. The administrator reads these orders back
    #[arg(long, value_name = "PERCENT", default_value_t = 0, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub guests_percent: u32,
    /// The most seats of a hold; each hold asks for 1 to this many
    #[arg(long, value_name = "SEATS", default_value_t = 2, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(1..=8))]
    pub max_quantity: u32,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Load")]
    pub seconds: u64,
    /// Stop after this many requests instead of after a time
    #[arg(long, value_name = "N", conflicts_with = "seconds", help_heading = "Load")]
    pub requests: Option<u64>,
    /// Stop early if the standard input ends
    #[arg(long, help_heading = "Load")]
    pub until_input_ends: bool,
    /// Send an Idempotency-Key with every command
    #[arg(long, help_heading = "Load")]
    pub idempotency: bool,
    /// How many threads the tool itself uses
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub threads: u32,
    /// With the same number here the customers make the same choices in each run
    #[arg(long, value_name = "NUMBER", help_heading = "Load")]
    pub seed: Option<u64>,

    /// Append what the server has answered to this file
    #[arg(long, value_name = "PATH", help_heading = "Books")]
    pub journal: Option<PathBuf>,
    /// Do nothing but check the books against the journal of earlier runs
    #[arg(long, requires = "journal", requires = "admin_session", help_heading = "Books")]
    pub check_only: bool,
    /// How many seconds the check waits for pending refunds and for read models that are behind
    #[arg(long, value_name = "SECONDS", default_value_t = 10, help_heading = "Books")]
    pub settle_seconds: u32,
    /// Do not check the books, only measure
    #[arg(long, conflicts_with = "check_only", help_heading = "Books")]
    pub skip_check: bool,
}

impl Arguments {
    /// Parses the command line. If a flag is not valid, prints the reason and ends the process with exit code 2.
    pub(crate) fn read() -> Self {
        let arguments = Self::parse();
        if let Err((kind, reason)) = arguments.check() {
            Self::command().error(kind, reason).exit();
        }
        arguments
    }

    fn check(&self) -> Result<(), (ErrorKind, &'static str)> {
        let has_customers = self.sessions_file.is_some() || !self.customer_sessions.is_empty();
        if !self.check_only && !has_customers {
            return Err((
                ErrorKind::MissingRequiredArgument,
                "customers need sessions: give --sessions-file or --customer-session",
            ));
        }
        if !self.check_only && self.event.is_none() && self.admin_session.is_none() {
            return Err((
                ErrorKind::MissingRequiredArgument,
                "making an event needs --admin-session; or give --event",
            ));
        }
        Ok(())
    }

    pub(crate) fn ends(&self) -> Ends {
        match self.requests {
            Some(requests) => Ends::AfterRequests(requests),
            None => Ends::After(Duration::from_secs(self.seconds)),
        }
    }
}

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends {
    After(Duration),
    AfterRequests(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Seating {
    General,
    Numbered,
}

/// What a customer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Hold,
    Pay,
    Cancel,
    Extend,
}

impl Action {
    pub(crate) const ALL: [Self; 4] = [Self::Hold, Self::Pay, Self::Cancel, Self::Extend];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Pay => "pay",
            Self::Cancel => "cancel",
            Self::Extend => "extend",
        }
    }
}

/// How often customers take each action, as weights. The weight of a hold is above 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mix(BTreeMap<Action, u32>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum InvalidMix {
    #[error("must be written like hold=70,pay=20,cancel=10,extend=5")]
    Shape,
    #[error("must name hold, pay, cancel and extend, each at most once")]
    Action,
    #[error("must give weights that are whole numbers up to 1000000")]
    Weight(#[source] Option<ParseIntError>),
    #[error("must give hold a weight above 0, because the other actions need a reservation")]
    NoHolds,
}

impl FromStr for Mix {
    type Err = InvalidMix;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut weights = BTreeMap::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or(InvalidMix::Shape)?;
            let action = Action::ALL.into_iter().find(|action| action.as_str() == name);
            let weight: u32 = weight.parse().map_err(|error| InvalidMix::Weight(Some(error)))?;
            if weight > 1_000_000 {
                return Err(InvalidMix::Weight(None));
            }
            if weights.insert(action.ok_or(InvalidMix::Action)?, weight).is_some() {
                return Err(InvalidMix::Action);
            }
        }
        match weights.get(&Action::Hold) {
            Some(1..) => Ok(Self(weights)),
            _ => Err(InvalidMix::NoHolds),
        }
    }
}

impl Mix {
    pub(crate) fn pick(&self, rng: &mut impl Rng) -> Action {
        let mut left = rng.random_range(0..self.0.values().sum());
        for (&action, &weight) in &self.0 {
            if left < weight {
                return action;
            }
            left -= weight;
        }
        unreachable!("the number is below the sum of the weights")
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_mix_picks_in_the_proportion_of_its_weights() {
        let mix: Mix = "cancel=0,hold=3,pay=1".parse().unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let holds = (0..4_000).filter(|_| mix.pick(&mut rng) == Action::Hold).count();
        assert!((2_800..3_200).contains(&holds), "{holds} of 4000");
    }

    #[test]
    fn a_mix_that_makes_no_sense_is_refused() {
        for (text, reason) in [
            ("", InvalidMix::Shape),
            ("hold", InvalidMix::Shape),
            ("hold=1,steal=1", InvalidMix::Action),
            ("hold=1,hold=2", InvalidMix::Action),
            ("hold=1000001", InvalidMix::Weight(None)),
            ("pay=1", InvalidMix::NoHolds),
            ("hold=0,pay=1", InvalidMix::NoHolds),
        ] {
            assert_eq!(text.parse::<Mix>(), Err(reason), "{text:?}");
        }
        assert!(matches!("hold=-1".parse::<Mix>(), Err(InvalidMix::Weight(Some(_)))));
    }

    #[test]
    fn a_run_needs_customers_and_somebody_who_makes_the_event() {
        let refusal = |flags: &[&str]| {
            let flags = std::iter::once("load").chain(flags.iter().copied());
            Arguments::try_parse_from(flags).unwrap().check().is_err()
        };
        let event = "00000000-0000-0000-0000-000000000001";
        assert!(refusal(&["--admin-session", "a"]));
        assert!(refusal(&["--customer-session", "c"]));
        assert!(!refusal(&["--customer-session", "c", "--admin-session", "a"]));
        assert!(!refusal(&["--customer-session", "c", "--event", event]));
        assert!(!refusal(&["--check-only", "--journal", "j", "--admin-session", "a"]));
    }

    #[test]
    fn a_session_may_begin_with_a_hyphen() {
        let flags = ["load", "--admin-session", "-4a", "--customer-session", "-X"];
        assert!(Arguments::try_parse_from(flags).is_ok());
    }

    #[test]
    fn the_definition_of_the_flags_is_sound() {
        Arguments::command().debug_assert();
    }
}
