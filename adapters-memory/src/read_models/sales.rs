//! The rows of sales: what was sold, given back and refunded.

use std::collections::{BTreeMap, HashMap};

use ticketing_ports::read_models::sales::{EventSales, LifetimeValue, Purchase, SectionSales};
use ticketing_ports::vocabulary::ids::{EventId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::seating::Label;

use super::by_customer::ByCustomer;

#[derive(Debug, Default)]
pub(super) struct Sales {
    pub(super) by_reservation: HashMap<ReservationId, Sold>,
    pub(super) by_customer: ByCustomer,
    totals: HashMap<EventId, Totals>,
}

#[derive(Debug, Clone)]
pub(super) struct Sold {
    sale: Sale,
    refunded: i64,
    returned: bool,
}

#[derive(Debug, Default)]
struct Totals {
    revenue: i64,
    refunded: i64,
    tickets: u64,
    by_ticket_type: BTreeMap<Label, u64>,
    by_tier: BTreeMap<Label, u64>,
    /// For each section, the number of tickets sold and the revenue in minor units.
    by_section: BTreeMap<Label, (u64, i64)>,
}

impl Sales {
    pub(super) fn sell(&mut self, sale: Sale) {
        let totals = self.totals.entry(sale.event_id).or_default();
        totals.revenue += sale.total_amount.amount;
        for line in &sale.lines {
            let quantity = u64::from(line.quantity);
            totals.tickets += quantity;
            if let Some(of) = &line.ticket_type {
                *totals.by_ticket_type.entry(of.name.clone()).or_default() += quantity;
            }
            *totals.by_tier.entry(line.tier.clone()).or_default() += quantity;
            let section = totals.by_section.entry(line.section.clone()).or_default();
            section.0 += quantity;
            section.1 += line.total.amount;
        }
        self.by_customer
            .insert((sale.customer_id, sale.sold_at, sale.reservation_id.uuid()));
        self.by_reservation.insert(
            sale.reservation_id,
            Sold {
                sale,
                refunded: 0,
                returned: false,
            },
        );
    }

    pub(super) fn take_back(&mut self, reservation: ReservationId) {
        let Some(sold) = self.by_reservation.get_mut(&reservation).filter(|sold| !sold.returned) else {
            return;
        };
        sold.returned = true;
        let totals = self.totals.entry(sold.sale.event_id).or_default();
        for line in &sold.sale.lines {
            let quantity = u64::from(line.quantity);
            totals.tickets -= quantity;
            let of_type = line.ticket_type.as_ref();
            if let Some(tickets) = of_type.and_then(|of| totals.by_ticket_type.get_mut(&of.name)) {
                *tickets -= quantity;
            }
            if let Some(tickets) = totals.by_tier.get_mut(&line.tier) {
                *tickets -= quantity;
            }
            if let Some((tickets, _)) = totals.by_section.get_mut(&line.section) {
                *tickets -= quantity;
            }
        }
    }

    pub(super) fn refund(&mut self, reservation: ReservationId, amount: Money) {
        if let Some(sold) = self.by_reservation.get_mut(&reservation) {
            sold.refunded += amount.amount;
            self.totals.entry(sold.sale.event_id).or_default().refunded += amount.amount;
        }
    }

    pub(super) fn lifetime_value(&self, newest_first: impl Iterator<Item = ReservationId>) -> Vec<LifetimeValue> {
        let mut values: BTreeMap<Currency, LifetimeValue> = BTreeMap::new();
        for sold in newest_first.filter_map(|id| self.by_reservation.get(&id)) {
            let sale = &sold.sale;
            let currency = sale.total_amount.currency;
            let value = values.entry(currency).or_insert(LifetimeValue {
                spent: Money::zero(currency),
                refunded: Money::zero(currency),
                orders: 0,
                tickets: 0,
                first_purchase_at: sale.sold_at,
                last_purchase_at: sale.sold_at,
            });
            value.spent.amount += sale.total_amount.amount;
            value.refunded.amount += sold.refunded;
            value.orders += 1;
            value.tickets += if sold.returned { 0 } else { u64::from(sale.quantity()) };
            value.first_purchase_at = value.first_purchase_at.min(sale.sold_at);
            value.last_purchase_at = value.last_purchase_at.max(sale.sold_at);
        }
        values.into_values().collect()
    }

    /// Returns the sales of an event that is sold in `currency` and has places for `total_capacity` people.
    pub(super) fn of_event(&self, event: EventId, currency: Currency, total_capacity: u64) -> EventSales {
        let none = Totals::default();
        let totals = self.totals.get(&event).unwrap_or(&none);
        let section_sales = |(tickets_sold, revenue): (u64, i64)| SectionSales {
            tickets_sold,
            revenue: Money::new(revenue, currency),
        };
        EventSales {
            event_id: event,
            total_revenue: Money::new(totals.revenue, currency),
            refunded: Money::new(totals.refunded, currency),
            tickets_sold: totals.tickets,
            by_ticket_type: totals.by_ticket_type.clone(),
            by_tier: totals.by_tier.clone(),
            by_section: totals
                .by_section
                .iter()
                .map(|(name, sales)| (name.clone(), section_sales(*sales)))
                .collect(),
            total_capacity,
        }
    }
}

impl Sold {
    pub(super) fn event_id(&self) -> EventId {
        self.sale.event_id
    }

    /// Returns the purchase as its customer sees it.
    pub(super) fn purchase(self, event_name: Label) -> Purchase {
        Purchase {
            event_name,
            refunded: Money::new(self.refunded, self.sale.total_amount.currency),
            returned: self.returned,
            sale: self.sale,
        }
    }
}
