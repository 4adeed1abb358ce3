//! A sale as the column `sale` has it: with the fields of a plain line at the top, as every sale had them before there
//! were lines, or with a list of lines. So builds that know nothing of lines read a sale of one line too.

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, LineId, PaymentId, ReservationId, SectionId, TierId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{LineKind, Sale, SoldLine, is_told_without_lines};
use ticketing_ports::vocabulary::seating::Label;

/// A sale as it is stored. Either `plain` is `None`, or `lines` is empty.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredSale {
    pub(super) reservation_id: ReservationId,
    payment_id: Option<PaymentId>,
    event_id: EventId,
    customer_id: CustomerId,
    #[serde(flatten)]
    plain: Option<PlainLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<SoldLine>,
    total_amount: Money,
    sold_at: Timestamp,
}

/// The fields of a line that needs no id, because it is of tickets and has the id of a first line.
#[derive(Serialize, Deserialize)]
struct PlainLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    section_id: Option<SectionId>,
    section: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tier_id: Option<TierId>,
    tier: Label,
    quantity: u32,
    unit_price: Money,
}

impl From<&Sale> for StoredSale {
    fn from(sale: &Sale) -> Self {
        let plain = match sale.lines.as_slice() {
            [line]
                if is_told_without_lines(
                    sale.reservation_id,
                    line.kind,
                    line.line_id,
                    line.ticket_type.as_ref(),
                    line.code.as_ref(),
                    &line.price_parts,
                ) =>
            {
                Some(PlainLine {
                    section_id: line.section_id,
                    section: line.section.clone(),
                    tier_id: line.tier_id,
                    tier: line.tier.clone(),
                    quantity: line.quantity,
                    unit_price: line.unit_price,
                })
            }
            _ => None,
        };
        Self {
            reservation_id: sale.reservation_id,
            payment_id: sale.payment_id,
            event_id: sale.event_id,
            customer_id: sale.customer_id,
            lines: if plain.is_some() {
                Vec::new()
            } else {
                sale.lines.clone()
            },
            plain,
            total_amount: sale.total_amount,
            sold_at: sale.sold_at,
        }
    }
}

impl StoredSale {
    /// Returns the sale; `None` if it has no line.
    pub(super) fn sale(self) -> Option<Sale> {
        let plain = self.plain.map(|plain| SoldLine {
            line_id: LineId::first_of(self.reservation_id),
            kind: LineKind::Ticket,
            section_id: plain.section_id,
            section: plain.section,
            ticket_type: None,
            tier_id: plain.tier_id,
            tier: plain.tier,
            quantity: plain.quantity,
            unit_price: plain.unit_price,
            code: None,
            price_parts: Vec::new(),
            total: self.total_amount,
        });
        let lines: Vec<_> = plain.into_iter().chain(self.lines).collect();
        (!lines.is_empty()).then_some(Sale {
            reservation_id: self.reservation_id,
            payment_id: self.payment_id,
            event_id: self.event_id,
            customer_id: self.customer_id,
            lines,
            total_amount: self.total_amount,
            sold_at: self.sold_at,
        })
    }
}
