//! One payment: it is authorised, then captured or voided, and what was captured can be refunded.
//!
//! The commit that decides on a call to the gateway also sets a deadline. If the process dies before the call, or the
//! answer is lost, the call is made again at the deadline. That is safe because the gateway carries out a call with
//! the same payment or refund id only once. As long as the provider has not decided, the gateway is asked again at
//! growing intervals.

mod asking_again;
mod charge;
mod command;
mod decide;
mod event;
mod gateway_call;
mod method_fingerprint;
mod state;

pub use asking_again::{GATEWAY_RETRY_SECONDS, LONGEST_REST_SECONDS, LOOK_AGAIN_SECONDS, SHORTEST_REST_SECONDS};
pub use charge::Charge;
pub use command::{PaymentCommand, PaymentRequest};
pub use decide::decide;
pub use event::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentDeferred, PaymentEvent,
    PaymentRefunded, PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
pub use gateway_call::GatewayCall;
pub use method_fingerprint::MethodFingerprint;
pub use state::{PaymentState, PaymentTerms, PendingRefund};

use ticketing_ports::vocabulary::ids::PaymentId;

use crate::reducer::small_reducer;

small_reducer! {
    /// The reducer of payments.
    pub enum Payment {
        id: PaymentId,
        state: PaymentState,
        event: PaymentEvent,
        command: PaymentCommand,
        effect: GatewayCall,
        decide: decide,
        is_dormant: |state| !state.awaits_gateway(),
    }
}
