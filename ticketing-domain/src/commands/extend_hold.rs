//! Extending a hold: a customer who needs more time gets as much again, as often as the event allows.
//!
//! The command is refused if the reservation is somebody else's, has run out, has ended or has a payment under way, if the
//! event is cancelled or has begun, or if it does not let this hold last longer.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::ReservationId;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::refusal::Refusal;
use crate::reservation::{Lines, Reservation, ReservationCommand};
use crate::transition::Action;

/// Lets the hold of a reservation last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendHold {
    /// The reservation whose seats are held.
    pub reservation_id: ReservationId,
}

impl Command for ExtendHold {
    const NAME: &'static str = "extend_hold";

    type Reply = ReservationView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.reservation_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.buyer()?;
        let reservation_id = self.reservation_id;
        let reservation = unit.own_reservation(by, reservation_id)?;
        let lines = reservation.terms().map(|terms| Lines::clone(&terms.lines));
        unit.not_cancelled()?;
        unit.read_for_limits(by, &lines.unwrap_or_default())?;
        let listing = unit.listing()?;
        let status = listing.status_at(unit.now());
        if status == EventStatus::Completed {
            return Err(Refusal::state(status, Action::Extend).into());
        }
        let details = &listing.details;
        let extend = ReservationCommand::Extend {
            by,
            hold_seconds: details.hold_seconds,
            extensions: details.extensions,
        };
        unit.decide::<Reservation>(reservation_id, &extend.into())?;
        Ok(Outcome::Reply(reservation_id))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;
    use ticketing_ports::log::identity::SchemaGeneration;
    use ticketing_ports::vocabulary::reservation::ReservationStatus;

    use super::*;
    use crate::book::Caller;
    use crate::commands::given::{
        ADMIN, ALICE, BOB, EVENT, House, ORGANISER, approved, floor, floor_and_balcony, on_sale,
    };
    use crate::commands::{CancelEvent, ExpireHold, GatewayAnswer};

    fn extend(reservation_id: ReservationId) -> ExtendHold {
        ExtendHold { reservation_id }
    }

    /// Makes a box office in which a hold of 300 seconds may be extended `at_most` times, and may last `max_hold_seconds` in
    /// all.
    fn extendable(at_most: u32, max_hold_seconds: Option<u32>) -> House {
        House::with(|draft| {
            draft.max_extensions = Some(at_most);
            draft.max_hold_seconds = max_hold_seconds;
        })
    }

    #[test]
    fn a_hold_lasts_as_long_again_in_every_section_and_its_deadline_moves() {
        let mut house = on_sale();
        let held = house.asks(ALICE, floor_and_balcony(2, &["A-1"])).unwrap().reply();
        house.wait(299);
        let extended = house.asks(ALICE, extend(held.reservation_id)).unwrap();
        assert_eq!(
            extended.facts(),
            ["ReservationExtended", "HoldExtended", "HoldExtended"]
        );
        let view = extended.reply();
        assert_eq!((view.expires_at - held.expires_at).num_seconds(), 300);
        assert_eq!(
            house.deadline(DeadlineKind::HoldExpiry).unwrap().due_at,
            view.expires_at
        );
        house.wait(300);
        assert_eq!((house.counts("Floor").held, house.counts("Balcony").held), (2, 1));
        assert!(house.asks(BOB, floor(4)).is_err(), "the seats are still Alice's");
        house.wait(1);
        assert!(house.asks(BOB, floor(5)).is_ok(), "and no longer than she was told");
    }

    #[test]
    fn an_extended_hold_can_be_paid_until_its_new_end() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        house.asks(ALICE, extend(held)).unwrap();
        house.wait(500);
        let payment_id = house.start_paying(ALICE, held);
        house.gateway_says(payment_id, approved());
        let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
        assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
    }

    #[test]
    fn a_deadline_of_before_the_extension_ends_nothing() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        house.asks(ALICE, extend(held)).unwrap();
        house.wait(300);
        let reported = house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        assert!(reported.facts().is_empty());
        assert_eq!(house.counts("Floor").held, 1);
    }

    #[test]
    fn a_hold_is_extended_as_often_as_the_event_says_and_no_more() {
        for (at_most, max_hold_seconds, lasts) in [
            (2, None, &[600, 900][..]),
            (3, Some(700), &[600, 700]),
            (1, Some(301), &[301]),
            (0, Some(300), &[]),
            (0, None, &[]),
        ] {
            let mut house = extendable(at_most, max_hold_seconds);
            let held = house.hold(ALICE, 1);
            let began = house.now;
            for seconds in lasts {
                let view = house.asks(ALICE, extend(held)).unwrap().reply();
                assert_eq!(
                    (view.expires_at - began).num_seconds(),
                    *seconds,
                    "{at_most} {max_hold_seconds:?}"
                );
            }
            let last = lasts.last().copied().unwrap_or(300);
            let no_more = Refusal::NoMoreExtensions {
                extensions: u32::try_from(lasts.len()).unwrap(),
                expires_at: began + chrono::TimeDelta::seconds(last),
            };
            assert_eq!(house.asks(ALICE, extend(held)).unwrap_err(), no_more);
        }
    }

    #[test]
    fn who_says_nothing_lets_a_hold_be_extended_twice() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        assert!(house.asks(ALICE, extend(held)).is_ok());
        assert!(house.asks(ALICE, extend(held)).is_ok());
        assert!(house.asks(ALICE, extend(held)).is_err());
    }

    #[test]
    fn only_a_hold_that_waits_for_its_payment_is_extended() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        assert_eq!(
            house.asks(BOB, extend(held)).unwrap_err(),
            Refusal::ReservationNotFound(held)
        );
        house.start_paying(ALICE, held);
        let refused = house.asks(ALICE, extend(held)).unwrap_err();
        let under_way = Refusal::state(ReservationStatus::PaymentPending, Action::Extend);
        assert_eq!(refused, under_way);
        let (sold, _) = house.buy(BOB, 1);
        let refused = house.asks(BOB, extend(sold)).unwrap_err();
        assert_eq!(refused, Refusal::state(ReservationStatus::Completed, Action::Extend));
        let lapsed = house.hold(ALICE, 1);
        house.wait(300);
        let refused = house.asks(ALICE, extend(lapsed)).unwrap_err();
        assert!(matches!(refused, Refusal::ReservationExpired { .. }), "{refused:?}");
    }

    #[test]
    fn an_admin_extends_for_the_customer_and_nobody_does_for_a_cancelled_event() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        assert!(house.asks(ADMIN, extend(held)).is_ok());
        let (event_id, reason) = (EVENT, None);
        house.asks(ORGANISER, CancelEvent { event_id, reason }).unwrap();
        let refused = house.asks(ALICE, extend(held)).unwrap_err();
        assert_eq!(refused, Refusal::EventCancelled(EVENT));
    }

    #[test]
    fn a_hold_whose_seats_went_to_somebody_else_by_another_clock_is_not_extended() {
        let mut house = on_sale();
        let held = house.asks(ALICE, floor_and_balcony(1, &["A-1"])).unwrap().reply();
        house.wait(300);
        house.asks(BOB, floor(5)).unwrap();
        // The clock of the server that Alice asks is behind the one of the server that Bob asked.
        house.wait(-1);
        let refused = house.asks(ALICE, extend(held.reservation_id)).unwrap_err();
        let expired = Refusal::ReservationExpired {
            reservation_id: held.reservation_id,
            expired_at: held.expires_at,
        };
        assert_eq!(refused, expired);
    }

    #[test]
    fn no_hold_is_extended_after_the_event_has_begun() {
        let mut house =
            House::with(|draft| draft.starts_at -= chrono::TimeDelta::days(30) - chrono::TimeDelta::seconds(100));
        let held = house.hold(ALICE, 1);
        house.wait(99);
        assert!(house.asks(ALICE, extend(held)).is_ok());
        house.wait(1);
        let refused = house.asks(ALICE, extend(held)).unwrap_err();
        assert_eq!(refused, Refusal::state(EventStatus::Completed, Action::Extend));
    }

    #[test]
    fn while_an_older_build_works_on_the_log_no_hold_is_extended_and_no_event_promises_it() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        house.schema_floor = SchemaGeneration(4);
        assert_eq!(house.asks(ALICE, extend(held)).unwrap_err(), Refusal::UpdateUnderWay);
        let mut new = House::empty();
        new.schema_floor = SchemaGeneration(4);
        let mut draft = Box::new(new.draft());
        let created = new.asks(
            ORGANISER,
            crate::commands::CreateEvent {
                event_id: EVENT,
                draft: draft.clone(),
            },
        );
        assert_eq!(created.unwrap().reply().details.extensions, None);
        let mut asked = House::empty();
        asked.schema_floor = SchemaGeneration(4);
        draft.max_extensions = Some(1);
        let created = asked.asks(ORGANISER, crate::commands::CreateEvent { event_id: EVENT, draft });
        assert_eq!(created.unwrap_err(), Refusal::UpdateUnderWay);
    }
}
