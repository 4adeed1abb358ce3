use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{Pool, PricingTier, RefundRule, TicketTypeRules, Venue};
use ticketing_ports::vocabulary::ids::{CodeId, EventId};
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::pricing::{FeeRules, TaxRounding, TaxRules};
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::seating::{Label, Seating};

/// A command about one catalog entry: something that a person asks for, or something that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogCommand {
    /// Create the event as a draft.
    Create {
        /// A new id for the event.
        event_id: EventId,
        /// Who creates the event, and owns it from then on.
        by: Actor,
        /// How the organiser describes the event.
        draft: Box<EventDraft>,
    },
    /// Show the draft to everybody.
    Publish {
        /// Who sends the command.
        by: Actor,
    },
    /// Put the event on sale.
    OpenSales {
        /// Who sends the command.
        by: Actor,
    },
    /// Take the event off sale.
    CloseSales {
        /// Who sends the command.
        by: Actor,
    },
    /// Cancel the event.
    Cancel {
        /// Who sends the command.
        by: Actor,
        /// Why the event is cancelled, in the organiser's words to the customers; `None` if the organiser gives no
        /// reason.
        reason: Option<Label>,
    },
    /// Let customers enter new codes.
    AddCodes {
        /// Who sends the command.
        by: Actor,
        /// What customers enter.
        codes: Vec<Label>,
        /// What each of the codes does.
        rules: CodeRules,
    },
    /// Let nobody enter a code any more. What is held and sold with it stays so.
    EndCode {
        /// Who sends the command.
        by: Actor,
        /// The code.
        code_id: CodeId,
    },
    /// Record that the event has begun, if its start time has come.
    Start,
    /// Record that every reservation of the cancelled event is settled.
    FinishCancellation,
}

/// An event as its organiser describes it, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDraft {
    /// What the event is called.
    pub name: Label,
    /// The kind of event, such as `concert`; `None` if the organiser names none.
    pub category: Option<Label>,
    /// The genre of the event, such as `jazz`; `None` if the organiser names none.
    pub genre: Option<Label>,
    /// The currency of every price.
    pub currency: Currency,
    /// When the event begins, which is also when sales end.
    pub starts_at: Timestamp,
    /// Where the event takes place.
    pub venue: Venue,
    /// The sections, each with its seats or its capacity.
    pub sections: Vec<SectionDraft>,
    /// The prices of each section, and when they are in force.
    pub pricing_tiers: Vec<PricingTier>,
    /// The fees and taxes.
    #[serde(default)]
    pub price_rules: PriceRulesDraft,
    /// The limits over several sections or ticket types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Pool>,
    /// How many seconds a customer has to pay for a hold; `None` for the default.
    pub hold_seconds: Option<u32>,
    /// How often a customer may extend a hold; `None` for the default.
    pub max_extensions: Option<u32>,
    /// How many seconds a hold may last in all, however often it is extended; `None` for as long as all extensions take,
    /// but at most four hours.
    pub max_hold_seconds: Option<u32>,
    /// How many seats one reservation may have at most; `None` for the default.
    pub max_seats_per_order: Option<u32>,
    /// How many seats one customer may have at most, in all reservations together; `None` for no limit.
    pub max_seats_per_customer: Option<u32>,
    /// How much of the price a customer gets back after cancelling; `None` for the default policy.
    pub refund_policy: Option<Vec<RefundRule>>,
}

impl EventDraft {
    /// Describes an event that has nothing but its sections and their prices. All limits are the default ones.
    pub fn new(
        name: Label,
        currency: Currency,
        starts_at: Timestamp,
        venue: Venue,
        sections: Vec<SectionDraft>,
        pricing_tiers: Vec<PricingTier>,
    ) -> Self {
        Self {
            name,
            category: None,
            genre: None,
            currency,
            starts_at,
            venue,
            sections,
            pricing_tiers,
            price_rules: PriceRulesDraft::default(),
            pools: Vec::new(),
            hold_seconds: None,
            max_extensions: None,
            max_hold_seconds: None,
            max_seats_per_order: None,
            max_seats_per_customer: None,
            refund_policy: None,
        }
    }
}

/// The fees and taxes of an event as its organiser describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRulesDraft {
    /// The fees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<FeeDraft>,
    /// The taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxDraft>,
    /// How taxes are rounded.
    #[serde(default)]
    pub rounding: TaxRounding,
}

/// A fee as its organiser describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeDraft {
    /// What the fee is called; no two fees of an event have the same name.
    pub name: Label,
    /// How much it is.
    pub rules: FeeRules,
}

/// A tax as its organiser describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxDraft {
    /// What the tax is called; no two taxes of an event have the same name.
    pub name: Label,
    /// How much it is, and of what.
    pub rules: TaxRules,
}

/// A section as its organiser describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionDraft {
    /// What the section is called; no two sections of an event have the same name.
    pub name: Label,
    /// The section's rows of numbered seats, or its capacity.
    pub seating: Seating,
    /// The types of tickets for the section. An order that names no type gets the first. Empty if all tickets are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticket_types: Vec<TicketTypeDraft>,
}

impl SectionDraft {
    /// Makes a section without ticket types.
    pub fn new(name: Label, seating: Seating) -> Self {
        Self {
            name,
            seating,
            ticket_types: Vec::new(),
        }
    }

    /// Gives the section ticket types of these names, which are sold in any number as long as sales are open.
    #[must_use]
    pub fn with_types(self, names: impl IntoIterator<Item = Label>) -> Self {
        let types = names.into_iter().map(|name| TicketTypeDraft {
            name,
            rules: TicketTypeRules::default(),
        });
        Self {
            ticket_types: types.collect(),
            ..self
        }
    }
}

/// A ticket type as its organiser describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeDraft {
    /// What the type is called; no two types of a section have the same name.
    pub name: Label,
    /// When the type is sold, and how many of its tickets there are.
    pub rules: TicketTypeRules,
}
