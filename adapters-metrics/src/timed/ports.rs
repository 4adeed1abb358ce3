//! The calls of each port that are measured. A call that a trait gains is added here, or the trait is not implemented.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineCount, DeadlineKind, DeadlineStore};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::log::identity::{Incarnation, Landmark, LogIdentity, Mark, SchemaGeneration};
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::outside::gateway::{Authorization, AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};
use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::read_models::availability::{Availability, AvailabilityQueries};
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventView, EventsWanted};
use ticketing_ports::read_models::payments::{PaymentQueries, PaymentView};
use ticketing_ports::read_models::reservations::{ReservationQueries, ReservationView};
use ticketing_ports::read_models::sales::{EventSales, LifetimeValue, Purchase, SalesQueries};
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{
    CommitId, CustomerId, EventId, PaymentId, RefundId, ReservationId, UserId, WorkerId,
};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::Role;

use super::Timed;

/// Implements a port, or one that it requires, for the decorator of `$of`. What stands after an arrow asks nobody, so it
/// is passed on and not measured.
macro_rules! timed {
    ($($port:ident of $of:ident {
        $($call:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+
        $(=> $other:ident() -> $value:ty;)*
    })+) => {$(
        #[async_trait]
        impl $port for Timed<dyn $of> {
            $(async fn $call(&self, $($argument: $type),*) -> $answer {
                self.durations.measure(stringify!($call), self.inner.$call($($argument),*)).await
            })+
            $(fn $other(&self) -> $value {
                self.inner.$other()
            })*
        }
    )+};
}

timed! {
    EventStore of EventStore {
        commit(commit: Commit) -> Result<CommitReceipt, CommitError>;
        find_commit(id: CommitId) -> Result<Option<CommitReceipt>, StoreError>;
        read_stream(stream: StreamId, after: Version, limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;
        read_streams(streams: &[(StreamId, Version)], limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;
        read_all(after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;
        head() -> Result<Position, StoreError>;
        check_memory(seen: &[(StreamId, Version)], landmarks: &[Landmark]) -> Result<Memory, StoreError>;
        identity() -> Result<LogIdentity, StoreError>;
        commit_at(position: Position) -> Result<Option<CommitId>, StoreError>;
        raise_incarnation(seen: Incarnation) -> Result<Incarnation, StoreError>;
        schema_floor() -> Result<SchemaGeneration, StoreError>;
        raise_schema_floor(to: SchemaGeneration) -> Result<SchemaGeneration, StoreError>;
        => has_other_writers() -> bool;
    }
    SnapshotStore of SnapshotStore {
        keep(snapshot: Snapshot) -> Result<(), StoreError>;
        latest(of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError>;
        drop_all() -> Result<(), StoreError>;
    }
    DeadlineStore of DeadlineStore {
        lease_due(now: Timestamp, lease: Duration, limit: usize) -> Result<Vec<CausedDeadline>, StoreError>;
        count_deadlines(now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError>;
    }
    IdempotencyStore of IdempotencyStore {
        find_answers(keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError>;
        forget_answers(before: Timestamp) -> Result<u64, StoreError>;
    }
    FollowerStore of FollowerStore {
        take_turn(
            follower: FollowerId,
            worker: WorkerId,
            now: Timestamp,
            lease: Duration
        ) -> Result<bool, StoreError>;
        give_back(follower: FollowerId, worker: WorkerId) -> Result<(), StoreError>;
        mark(follower: FollowerId) -> Result<Option<Mark>, StoreError>;
        move_mark(follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError>;
    }
    DeadLetterStore of DeadLetterStore {
        park(letter: DeadLetter) -> Result<(), StoreError>;
        is_parked(projection: &str, stream: StreamId) -> Result<bool, StoreError>;
        letters(projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;
        remove(projection: &str, position: Position) -> Result<bool, StoreError>;
    }
    ProjectionStore of ProjectionStore {
        checkpoint() -> Result<Mark, StoreError>;
        apply(batch: ProjectedBatch) -> Result<(), ApplyError>;
        begin_rebuild() -> Result<Arc<dyn ProjectionStore>, StoreError>;
        switch_to(rebuilt: Arc<dyn ProjectionStore>) -> Result<(), StoreError>;
    }
    EventQueries of EventQueries {
        event(id: EventId) -> Result<Option<EventView>, StoreError>;
        events(
            wanted: Option<&EventsWanted>,
            drafts: DraftsVisible,
            page: Page
        ) -> Result<Listed<EventView>, StoreError>;
    }
    AvailabilityQueries of AvailabilityQueries {
        availability(event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError>;
    }
    ReservationQueries of ReservationQueries {
        reservations_of(customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError>;
    }
    PaymentQueries of PaymentQueries {
        payments_of(customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError>;
    }
    SalesQueries of SalesQueries {
        event_sales(event: EventId) -> Result<Option<EventSales>, StoreError>;
        purchases_of(customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError>;
        lifetime_value(customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError>;
    }
    UserStore of UserStore {
        create(user: User) -> Result<(), CreateUserError>;
        find(id: UserId) -> Result<Option<User>, StoreError>;
        find_by_email(email: &EmailAddress) -> Result<Option<User>, StoreError>;
        set_role(id: UserId, role: Role) -> Result<bool, StoreError>;
    }
    PasskeyStore of PasskeyStore {
        add(passkey: Passkey, most: usize) -> Result<(), AddPasskeyError>;
        find(credential_id: &[u8]) -> Result<Option<Passkey>, StoreError>;
        passkeys_of(user: UserId) -> Result<Vec<Passkey>, StoreError>;
        update(passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError>;
        rename(user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError>;
        remove(user: UserId, credential_id: &[u8]) -> Result<bool, StoreError>;
    }
    IdentityStore of IdentityStore {
        link(identity: Identity) -> Result<(), LinkIdentityError>;
        find(issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError>;
        identities_of(user: UserId) -> Result<Vec<Identity>, StoreError>;
    }
    BuyerStore of BuyerStore {
        give_address(order: ReservationId, email: &EmailAddress) -> Result<(), StoreError>;
        give_first_address(order: ReservationId, email: &EmailAddress) -> Result<(), StoreError>;
        address_of(order: ReservationId) -> Result<Option<EmailAddress>, StoreError>;
        person_of(email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError>;
    }
    Erase of UserStore {
        erase(person: &Person) -> Result<u64, StoreError>;
    }
    Erase of PasskeyStore {
        erase(person: &Person) -> Result<u64, StoreError>;
    }
    Erase of IdentityStore {
        erase(person: &Person) -> Result<u64, StoreError>;
    }
    Erase of BuyerStore {
        erase(person: &Person) -> Result<u64, StoreError>;
    }
    PaymentGateway of PaymentGateway {
        authorize(request: AuthorizeRequest) -> Result<Authorization, GatewayError>;
        capture(payment: PaymentId, amount: Money) -> Result<(), GatewayError>;
        void(payment: PaymentId) -> Result<(), GatewayError>;
        refund(payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), GatewayError>;
        look_up(payment: PaymentId) -> Result<GatewayRecord, GatewayError>;
    }
}
