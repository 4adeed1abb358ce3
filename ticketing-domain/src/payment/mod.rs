//! One payment: authorise, capture, void, and refunds of what was captured.
//!
//! Every call to the gateway is backed by a durable deadline in the same commit. If the process dies before the call,
//! or the answer is lost, the deadline asks again; the gateway is idempotent in our ids.

mod command;
mod decide;
mod event;
mod state;

pub use command::PaymentCommand;
pub use decide::{GATEWAY_RETRY_SECONDS, GatewayCall, LOOK_AGAIN_SECONDS, decide};
pub use event::{
    CaptureRequested, PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentEvent, PaymentRefunded,
    PaymentRequested, PaymentVoided, RefundCause, RefundRequested, VoidRequested,
};
pub use state::{Order, PaymentState, PendingRefund};
