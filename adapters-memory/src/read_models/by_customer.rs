//! The index that finds the rows of a customer.

use std::collections::BTreeSet;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::CustomerId;
use ticketing_ports::vocabulary::paging::Cursor;
use uuid::Uuid;

/// The ids of the rows of each customer, ordered by the times at which the rows were made. One set serves all
/// customers, because a set for each customer would use more memory.
pub(super) type ByCustomer = BTreeSet<(CustomerId, Timestamp, Uuid)>;

/// Returns the cursors of the rows of a customer, the newest row first.
pub(super) fn of_customer(index: &ByCustomer, customer: CustomerId) -> impl Iterator<Item = Cursor> + '_ {
    let first = (customer, Timestamp::MIN_UTC, Uuid::nil());
    let last = (customer, Timestamp::MAX_UTC, Uuid::max());
    let newest_first = index.range(first..=last).rev();
    newest_first.map(|(_, at, id)| Cursor { at: *at, id: *id })
}
