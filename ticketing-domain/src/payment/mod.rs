//! One payment: authorise, capture, void, and refunds of what was captured.
//!
//! Every call to the gateway is backed by a durable deadline in the same commit. If the process dies before the call,
//! or the answer is lost, the deadline asks again; the gateway is idempotent in our ids. A payment that the provider has not
//! decided is asked for ever more rarely, until it is.

mod asking_again;
mod command;
mod decide;
mod event;
mod gateway_call;
mod method_fingerprint;
mod state;

pub use asking_again::{GATEWAY_RETRY_SECONDS, LONGEST_REST_SECONDS, LOOK_AGAIN_SECONDS, SHORTEST_REST_SECONDS};
pub use command::{PaymentCommand, PaymentRequest};
pub use decide::decide;
pub use event::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred, PaymentEvent,
    PaymentRefunded, PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
pub use gateway_call::GatewayCall;
pub use method_fingerprint::MethodFingerprint;
pub use state::{Order, PaymentState, PendingRefund};

use ticketing_ports::ids::PaymentId;
use ticketing_ports::streams::Aggregate;
use uuid::Uuid;

use crate::reducer::{Context, Decision, Reducer};
use crate::refusal::Refusal;

/// The reducer of payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {}

impl Reducer for Payment {
    const AGGREGATE: Aggregate = Aggregate::Payment;

    type Id = PaymentId;
    type State = PaymentState;
    type Event = PaymentEvent;
    type Command = PaymentCommand;
    type Effect = GatewayCall;
    type Refusal = Refusal;
    type Undo = Box<PaymentState>;

    fn id(uuid: Uuid) -> PaymentId {
        PaymentId::new(uuid)
    }

    fn decide(
        state: &PaymentState,
        command: &PaymentCommand,
        ctx: &Context<'_>,
    ) -> Result<Decision<PaymentEvent, GatewayCall>, Refusal> {
        decide(state, command, ctx)
    }

    fn evolve(state: &mut PaymentState, event: &PaymentEvent) -> Box<PaymentState> {
        let before = Box::new(state.clone());
        state.evolve(event);
        before
    }

    fn undo(state: &mut PaymentState, before: Box<PaymentState>) {
        *state = *before;
    }

    fn is_settled(state: &PaymentState) -> bool {
        !state.awaits_gateway()
    }
}
