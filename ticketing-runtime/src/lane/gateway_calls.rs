//! Calls the payment gateway and hands its answers to the lane as commands.
//!
//! A lost call or a lost answer does no harm: the deadline that was committed with the request asks the gateway again.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_domain::commands::{GatewayAnswer, ReportPayment};
use ticketing_domain::payment::GatewayCall;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::Metadata;
use ticketing_ports::outside::gateway::{AuthorizeRequest, GatewayError, GatewayRecord, PaymentGateway};
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::time::Instant;
use tracing::warn;

use super::command_job::CommandJob;
use super::job::Job;
use super::lanes::Lanes;
use crate::retry::RetryPolicy;
use crate::spans::Span;

/// How a call to the gateway is retried. After the last try, the payment's deadline asks the gateway again.
const CALLING: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(1),
    tries: Some(4),
};

/// Calls the gateway in a task of its own. The command that reports the gateway's answer carries the metadata of the
/// request that caused the call.
pub(crate) fn start(call: GatewayCall, cause: Metadata, lane: LaneId, lanes: &Arc<Lanes>) {
    let lanes_of_call = Arc::clone(lanes);
    lanes.spawn_call(async move {
        let payment_id = call.payment_id();
        let name = name_of(&call);
        let (began_at, began) = (lanes_of_call.ports.clock.now(), Instant::now());
        let answer = make(call, lanes_of_call.ports.gateway.as_ref()).await;
        if let Some(trace) = cause.trace.as_ref().filter(|trace| trace.is_sampled()) {
            lanes_of_call.config.tracer.record(&Span {
                parent: trace,
                name: "gateway call",
                began: began_at,
                took: began.elapsed(),
                details: &[
                    ("ticketing.gateway.call", name.into()),
                    ("ticketing.gateway.answered", answer.is_some().into()),
                ],
            });
        }
        if let Some(answer) = answer {
            let report = CommandJob::new(ReportPayment { payment_id, answer }, None);
            lanes_of_call.report(lane, Job::new(report, Caller::World, cause)).await;
        }
    });
}

fn name_of(call: &GatewayCall) -> &'static str {
    match call {
        GatewayCall::Authorize { .. } => "authorize",
        GatewayCall::LookUp { .. } => "look_up",
        GatewayCall::Capture { .. } => "capture",
        GatewayCall::Void { .. } => "void",
        GatewayCall::Refund { .. } => "refund",
    }
}

/// Makes one call to the gateway. Returns `None` if the gateway gave no answer that can be recorded.
async fn make(call: GatewayCall, gateway: &dyn PaymentGateway) -> Option<GatewayAnswer> {
    match call {
        GatewayCall::Authorize {
            payment_id,
            amount,
            method,
            wanted_by,
        } => {
            let request = AuthorizeRequest {
                payment_id,
                amount,
                method,
                wanted_by,
            };
            match gateway.authorize(request).await {
                Ok(authorization) => Some(GatewayAnswer::Authorized(authorization)),
                Err(GatewayError::Unavailable(_)) => Some(GatewayAnswer::NeverAuthorized),
                Err(error @ GatewayError::Unknown(_)) => {
                    report_failure(payment_id, "authorize", &error);
                    look_up(payment_id, gateway).await
                }
            }
        }
        GatewayCall::LookUp { payment_id } => look_up(payment_id, gateway).await,
        GatewayCall::Capture { payment_id, amount } => {
            let done = persist(payment_id, "capture", || gateway.capture(payment_id, amount)).await;
            done.then_some(GatewayAnswer::Captured)
        }
        GatewayCall::Void { payment_id } => {
            let done = persist(payment_id, "void", || gateway.void(payment_id)).await;
            done.then_some(GatewayAnswer::Voided)
        }
        GatewayCall::Refund {
            payment_id,
            refund_id,
            amount,
        } => {
            let done = persist(payment_id, "refund", || gateway.refund(payment_id, refund_id, amount)).await;
            done.then_some(GatewayAnswer::Refunded(refund_id))
        }
    }
}

/// Asks the gateway what became of an authorization. Returns `None` if every try fails.
async fn look_up(payment_id: PaymentId, gateway: &dyn PaymentGateway) -> Option<GatewayAnswer> {
    let mut pauses = CALLING.pauses(payment_id.uuid());
    loop {
        match gateway.look_up(payment_id).await {
            Ok(GatewayRecord::Answered(authorization)) => return Some(GatewayAnswer::Authorized(authorization)),
            Ok(GatewayRecord::Unknown) => return Some(GatewayAnswer::NeverAuthorized),
            Err(error) => report_failure(payment_id, "look_up", &error),
        }
        tokio::time::sleep(pauses.next()?).await;
    }
}

/// Makes a call to the gateway that may safely be repeated, and retries it if it fails. Returns whether the gateway
/// confirmed it.
async fn persist<F>(payment_id: PaymentId, what: &'static str, call: impl Fn() -> F) -> bool
where
    F: Future<Output = Result<(), GatewayError>>,
{
    let mut pauses = CALLING.pauses(payment_id.uuid());
    loop {
        match call().await {
            Ok(()) => return true,
            Err(error) => report_failure(payment_id, what, &error),
        }
        let Some(pause) = pauses.next() else {
            return false;
        };
        tokio::time::sleep(pause).await;
    }
}

fn report_failure(payment_id: PaymentId, call: &'static str, error: &GatewayError) {
    let error = error as &dyn std::error::Error;
    warn!(%payment_id, call, error, "a call to the payment gateway failed, or its answer was lost");
}
