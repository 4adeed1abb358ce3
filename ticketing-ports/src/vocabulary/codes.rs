//! Codes that customers enter for a lower price, or for ticket types that are sold only with a code.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::event_details::PoolMember;
use crate::vocabulary::pricing::Discount;
use crate::vocabulary::seating::Label;

/// What a code does, when, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRules {
    /// What the code takes off the price of each ticket; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// For which tickets the code is valid; empty if for all. A ticket type that is sold only with a code needs one that
    /// names it here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub valid_for: Vec<PoolMember>,
    /// From when on the code is valid; `None` if there is no such moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Timestamp>,
    /// The moment from which on the code is no longer valid; `None` if there is no such moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_until: Option<Timestamp>,
    /// For how many tickets the code is used at most, held and sold; `None` if for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// For how many tickets one customer uses the code at most; `None` if for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses_per_customer: Option<u32>,
}

impl CodeRules {
    /// Returns whether the code is valid for tickets of this section and type.
    pub fn is_for(&self, section: &Label, ticket_type: Option<&Label>) -> bool {
        let names = |member: &PoolMember| {
            member.section == *section && (member.ticket_type.is_none() || member.ticket_type.as_ref() == ticket_type)
        };
        self.valid_for.is_empty() || self.valid_for.iter().any(names)
    }

    /// Returns whether the code names this ticket type, so that it opens a type that is sold only with a code.
    pub fn opens(&self, section: &Label, ticket_type: &Label) -> bool {
        let mut named = self.valid_for.iter();
        named.any(|member| member.section == *section && member.ticket_type.as_ref() == Some(ticket_type))
    }
}
