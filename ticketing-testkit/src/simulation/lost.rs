//! Which facts were lost because a backup of the log was restored, and which faults in the books the loss explains.
//!
//! A restored backup loses facts that customers were told about, and payments that the gateway has carried out. Those
//! losses are expected. Everything else must be right.

use std::collections::BTreeSet;

use ticketing_ports::log::event_bus::Delivered;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};

use super::books::Violation;

/// The facts that were lost during one simulated run, because older backups of the log were restored.
#[derive(Debug, Clone, Default)]
pub struct Lost {
    payments: BTreeSet<PaymentId>,
    reservations: BTreeSet<ReservationId>,
    pub(super) facts: usize,
    /// How many times a backup with fewer facts than the log was restored, and the incarnation of the log at the first
    /// time.
    pub(super) times: u32,
    before: Option<Incarnation>,
    /// Whether read models that outlive a process had already shown facts that were then lost.
    remembered: bool,
}

impl Lost {
    pub(super) fn take(&mut self, lost: &[RecordedEvent], before: Incarnation, remembered: bool) {
        if lost.is_empty() {
            return;
        }
        self.times += 1;
        self.facts += lost.len();
        self.before.get_or_insert(before);
        self.remembered |= remembered;
        for fact in lost {
            match fact.stream.aggregate {
                Aggregate::Payment => _ = self.payments.insert(PaymentId::new(fact.stream.id)),
                Aggregate::Reservation => _ = self.reservations.insert(ReservationId::new(fact.stream.id)),
                Aggregate::Catalog | Aggregate::Inventory => {}
            }
        }
    }

    /// Returns whether facts of that reservation were lost.
    pub(super) fn has(&self, reservation: ReservationId) -> bool {
        self.reservations.contains(&reservation)
    }

    /// Returns whether this fault in the books is expected because the facts about it were lost.
    pub(super) fn explains(&self, violation: &Violation) -> bool {
        match violation {
            Violation::MoneyWrong { payment, .. } | Violation::MoneyStuck(payment) => self.payments.contains(payment),
            Violation::PromiseBroken(reservation) => self.has(*reservation),
            _ => false,
        }
    }

    /// Checks that a loss which some process could notice was noticed: the log has a new incarnation, and no lost
    /// fact was delivered under that incarnation.
    pub(super) fn check_identity(
        &self,
        log: &[RecordedEvent],
        identity: LogIdentity,
        heard: &[Delivered],
    ) -> Option<Violation> {
        let before = self.before?;
        if identity.incarnation == before {
            return self.remembered.then_some(Violation::LossUnnoticed);
        }
        // After a second loss this cannot be checked: if every process that knew the first new incarnation has
        // crashed, the same incarnation may have been given again.
        let under_the_new_name = heard.iter().filter(|heard| self.times == 1 && heard.from == identity);
        for heard in under_the_new_name {
            let place = usize::try_from(heard.event.position.0 - 1).ok();
            let there = place.and_then(|place| log.get(place));
            if there.map(|fact| fact.commit_id) != Some(heard.event.commit_id) {
                return Some(Violation::LostFactTold(heard.event.position));
            }
        }
        None
    }
}
