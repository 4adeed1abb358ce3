//! The commands of a script, and who sends them.

use ticketing_domain::book::{Book, Caller, Ran};
use ticketing_domain::command::{self, Performed};
use ticketing_domain::commands::{
    AddCodes, AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CompleteEvent, CreateEvent,
    EndCode, ExpireHold, ExtendHold, HoldSeats, OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment,
    RetryPayment, SettleCancellation, UnblockSeats,
};
use ticketing_domain::reducer::Context;
use ticketing_ports::log::deadlines::{Deadline, DeadlineKind};
use ticketing_ports::vocabulary::buyer::{Buyer, Guest};
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::secrets::SecretDigest;
use uuid::Uuid;

macro_rules! any_command {
    ($($name:ident,)+) => {
        /// Any command of the box office.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AnyCommand {
            $($name($name),)+
        }

        $(impl From<$name> for AnyCommand {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })+

        impl AnyCommand {
            /// Decides the command on a book. Returns the outcome without the command's own answer, whose type
            /// differs from command to command.
            pub fn run(&self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Ran<()> {
                match self {
                    $(Self::$name(command) => without_answer(command::perform(book, ctx, caller, command)),)+
                }
            }
        }
    };
}
any_command! {
    AddCodes, AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CompleteEvent, CreateEvent, EndCode, ExpireHold, ExtendHold,
    HoldSeats, OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment, RetryPayment, SettleCancellation,
    UnblockSeats,
}

fn without_answer<C: command::Command>(ran: Ran<Performed<C>>) -> Ran<()> {
    match ran {
        Ran::Done { staged, .. } => Ran::Done { value: (), staged },
        Ran::Refused { refusal, read_set } => Ran::Refused { refusal, read_set },
        Ran::Load(wants) => Ran::Load(wants),
    }
}

/// A command and who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub caller: Caller,
    pub command: AnyCommand,
}

/// The organiser of the event. The organiser has the role of an admin, so that it may refund payments.
pub const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

/// How many people buy: each of them with an account and also as a guest.
pub(super) const PEOPLE: u128 = 3;

/// Returns the customer of that number: one of three people with accounts, or one of the same three as a guest.
pub fn customer(number: u128) -> Buyer {
    let user_id = UserId::new(Uuid::from_u128(10 + number % PEOPLE));
    if number < PEOPLE {
        let role = Role::Customer;
        return Buyer::Person(Actor { user_id, role });
    }
    let mut secret = [0; 32];
    secret[16..].copy_from_slice(&number.to_be_bytes());
    Buyer::Guest(Guest {
        secret: SecretDigest::from_bytes(secret),
        person: Some(user_id.into()),
    })
}

/// Returns a command that a person or a guest sends.
pub fn by(who: impl Into<Caller>, command: impl Into<AnyCommand>) -> Asked {
    Asked {
        caller: who.into(),
        command: command.into(),
    }
}

pub(super) fn world(command: impl Into<AnyCommand>) -> Asked {
    Asked {
        caller: Caller::World,
        command: command.into(),
    }
}

pub(super) fn due(deadline: Deadline) -> Asked {
    match deadline.key.kind {
        DeadlineKind::HoldExpiry => world(ExpireHold { deadline }),
        DeadlineKind::GatewayRetry => world(RetryPayment { deadline }),
        DeadlineKind::CancellationChunk => world(SettleCancellation { deadline }),
        DeadlineKind::EventStart => world(CompleteEvent { deadline }),
    }
}
