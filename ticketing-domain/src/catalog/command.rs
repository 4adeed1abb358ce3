use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{PricingTier, RefundRule, Venue};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Currency;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::seating::{Label, Seating};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogCommand {
    Create {
        event_id: EventId,
        by: Actor,
        draft: Box<EventDraft>,
    },
    Publish {
        by: Actor,
    },
    OpenSales {
        by: Actor,
    },
    CloseSales {
        by: Actor,
    },
    Cancel {
        by: Actor,
        reason: Option<Label>,
    },
    /// The start of the event has come.
    Start,
    /// Every reservation of a cancelled event is settled.
    FinishCancellation,
}

/// An event on sale as its organiser asks for it. What is absent gets its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDraft {
    pub name: Label,
    pub category: Option<Label>,
    pub genre: Option<Label>,
    pub currency: Currency,
    pub starts_at: Timestamp,
    pub venue: Venue,
    pub sections: Vec<SectionDraft>,
    pub pricing_tiers: Vec<PricingTier>,
    pub hold_seconds: Option<u32>,
    pub max_seats_per_order: Option<u32>,
    pub refund_policy: Option<Vec<RefundRule>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionDraft {
    pub name: Label,
    pub seating: Seating,
}
