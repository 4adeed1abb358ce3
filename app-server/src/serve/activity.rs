//! What happens on one connection, and how long the connection may go on like that.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Stands for a moment that has not come.
const NEVER: u64 = u64::MAX;

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the whole head of a request, from its first byte. A new connection must send its first request within this
    /// time, and a TLS handshake must end within it.
    pub(super) head: Duration,
    /// For the next request on a connection that has had one.
    pub(super) next_request: Duration,
    /// For a client that takes no more bytes of an answer.
    pub(super) reading: Duration,
}

/// What happens on one connection. The socket and the requests of the connection report to it. All moments are
/// milliseconds since the connection was accepted.
#[derive(Debug)]
pub(super) struct Activity {
    accepted: Instant,
    /// How many requests are being answered, plus one for an upgrade, which is never over.
    running: AtomicUsize,
    /// Whether the connection has had a request.
    has_asked: AtomicBool,
    is_http2: AtomicBool,
    /// Whether the head that came last says the length of its body in two ways.
    has_two_lengths: AtomicBool,
    /// Since when no request is running.
    idle_since: AtomicU64,
    /// When the first byte of the next request came.
    head_since: AtomicU64,
    /// Since when the client has taken no byte of an answer that is ready.
    stuck_since: AtomicU64,
    /// How many parts of answers the client has left no room for. An HTTP/2 client says for each answer how much of it
    /// may come, so it may read the connection and take nothing of its answers.
    untaken: AtomicUsize,
    /// Since when the client has taken no part of any answer. Only counts while there are untaken parts.
    untaken_since: AtomicU64,
    /// Is cancelled when the connection has to make room for a new one.
    pub(super) must_go: CancellationToken,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            accepted: Instant::now(),
            running: AtomicUsize::new(0),
            has_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            has_two_lengths: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(NEVER),
            stuck_since: AtomicU64::new(NEVER),
            untaken: AtomicUsize::new(0),
            untaken_since: AtomicU64::new(0),
            must_go: CancellationToken::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(NEVER)
    }

    /// Returns whether no request is running. The last bytes of an answer may still wait for the client.
    pub(super) fn is_idle(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0
    }

    /// Returns whether no request is running, and no byte of an answer waits for the client.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_idle() && self.stuck_since.load(Ordering::Relaxed) == NEVER
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Returns the moment since which no request is running, to compare connections by it. `None` if one is running, or
    /// its answer is still being written.
    pub(super) fn idle_from(&self) -> Option<Instant> {
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        self.is_quiet().then(|| self.accepted + since)
    }

    pub(super) fn request_begins(&self) {
        self.running.fetch_add(1, Ordering::AcqRel);
        self.has_asked.store(true, Ordering::Relaxed);
        self.head_since.store(NEVER, Ordering::Relaxed);
    }

    pub(super) fn request_ends(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
        self.running.fetch_sub(1, Ordering::AcqRel);
    }

    /// Notes that the connection was handed over to another protocol, such as WebSocket, which has limits of its own.
    pub(super) fn is_upgraded(&self) {
        self.running.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that bytes have come. Returns whether they are the first ones of a head.
    pub(super) fn bytes_came(&self, bytes: &[u8]) -> bool {
        let has_begun = self.head_since.load(Ordering::Relaxed) != NEVER;
        let is_first_read = !self.has_asked.load(Ordering::Relaxed) && !has_begun;
        if is_first_read && bytes.starts_with(b"PRI ") {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        // An idle HTTP/2 connection may be asked for signs of life, which are no beginning of a request.
        let may_be_a_head = !(self.is_http2() && self.has_asked.load(Ordering::Relaxed));
        let begins = may_be_a_head && self.is_idle() && !has_begun;
        if begins {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
        begins
    }

    /// Notes that the head that comes says the length of its body in two ways.
    pub(super) fn says_two_lengths(&self) {
        self.has_two_lengths.store(true, Ordering::Relaxed);
    }

    /// Returns whether the head of the request that begins now says the length of its body in two ways.
    pub(super) fn take_two_lengths(&self) -> bool {
        self.has_two_lengths.load(Ordering::Relaxed) && self.has_two_lengths.swap(false, Ordering::Relaxed)
    }

    pub(super) fn client_takes_bytes(&self) {
        if self.stuck_since.load(Ordering::Relaxed) != NEVER {
            self.stuck_since.store(NEVER, Ordering::Relaxed);
        }
    }

    pub(super) fn client_takes_nothing(&self) {
        if self.stuck_since.load(Ordering::Relaxed) == NEVER {
            self.stuck_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Notes that a part of an answer waits until the client leaves room for it.
    pub(super) fn part_waits(&self) {
        // The moment is stored before the part is counted: a reader that sees the part then sees the moment, too.
        if self.untaken.load(Ordering::Acquire) == 0 {
            self.client_takes_a_part();
        }
        self.untaken.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that a part of an answer no longer waits. The client may have taken it, or given the answer up.
    pub(super) fn part_is_gone(&self) {
        // Another part that begins to wait just now may rely on this moment.
        if self.untaken.load(Ordering::Acquire) == 1 {
            self.client_takes_a_part();
        }
        self.untaken.fetch_sub(1, Ordering::AcqRel);
    }

    /// Notes that the client takes a part of an answer, or some bytes of it.
    pub(super) fn client_takes_a_part(&self) {
        self.untaken_since.store(self.now(), Ordering::Release);
    }

    /// Waits until the client has kept the connection waiting for too long.
    pub(super) async fn runs_out_of(&self, patience: Patience) {
        // No deadline that begins while this sleeps can be over before it wakes up.
        let shortest = patience.head.min(patience.next_request).min(patience.reading);
        loop {
            let now = Instant::now();
            let deadline = self.deadline(patience);
            match deadline {
                Some(deadline) if deadline <= now => return,
                _ => sleep_until(deadline.map_or(now + shortest, |deadline| deadline.min(now + shortest))).await,
            }
        }
    }

    fn deadline(&self, patience: Patience) -> Option<Instant> {
        let after = |since: &AtomicU64, patience: Duration| match since.load(Ordering::Relaxed) {
            NEVER => None,
            since => Some(self.accepted + Duration::from_millis(since) + patience),
        };
        let stuck = after(&self.stuck_since, patience.reading);
        let has_untaken_parts = self.untaken.load(Ordering::Acquire) > 0;
        let untaken = has_untaken_parts.then(|| after(&self.untaken_since, patience.reading));
        let waiting = if !self.has_asked.load(Ordering::Relaxed) && self.is_idle() {
            Some(self.accepted + patience.head)
        } else if self.is_quiet() {
            after(&self.head_since, patience.head).or_else(|| after(&self.idle_since, patience.next_request))
        } else {
            None
        };
        stuck.into_iter().chain(untaken.flatten()).chain(waiting).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        next_request: Duration::from_secs(75),
        reading: Duration::from_secs(30),
    };

    /// How many seconds after `began` the connection has been waited for long enough.
    async fn seconds_until_the_end(activity: &Activity, began: Instant) -> u64 {
        activity.runs_out_of(PATIENCE).await;
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_a_head_that_trickles_end_ten_seconds_after_the_connection_began() {
        let began = Instant::now();
        let activity = Activity::new();
        assert_eq!(seconds_until_the_end(&activity, began).await, 10);

        let began = Instant::now();
        let activity = Activity::new();
        let trickle = async {
            loop {
                activity.bytes_came(b"G");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = trickle => {}
            ended = seconds_until_the_end(&activity, began) => assert_eq!(ended, 10),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_head_has_ten_seconds_from_its_first_byte_and_silence_has_more() {
        let activity = Activity::new();
        activity.request_begins();
        activity.request_ends();
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(50)).await;
        activity.bytes_came(b"G");
        assert_eq!(seconds_until_the_end(&activity, began).await, 60);

        let activity = Activity::new();
        activity.request_begins();
        activity.request_ends();
        let began = Instant::now();
        assert_eq!(seconds_until_the_end(&activity, began).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_runs_has_all_the_time_it_needs_while_its_client_reads() {
        let began = Instant::now();
        let activity = Activity::new();
        activity.request_begins();
        let hours = Duration::from_secs(7_200);
        let ended = tokio::time::timeout(hours, activity.runs_out_of(PATIENCE)).await;
        assert!(ended.is_err(), "a running request was cut off");

        activity.client_takes_nothing();
        assert_eq!(seconds_until_the_end(&activity, began).await, 7_230);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_which_the_client_takes_no_part_ends_and_one_that_it_takes_slowly_does_not() {
        let began = Instant::now();
        let activity = Activity::new();
        activity.request_begins();
        activity.part_waits();
        activity.part_waits();
        for _ in 0..10 {
            let ended = tokio::time::timeout(Duration::from_secs(20), activity.runs_out_of(PATIENCE)).await;
            assert!(ended.is_err(), "an answer that the client takes was cut off");
            activity.client_takes_a_part();
        }
        activity.part_is_gone();
        assert_eq!(seconds_until_the_end(&activity, began).await, 230);

        let (activity, began) = (Activity::new(), tokio::time::Instant::now());
        activity.request_begins();
        activity.part_waits();
        tokio::time::sleep(Duration::from_secs(20)).await;
        activity.part_waits();
        activity.part_is_gone();
        // Giving one answer up takes nothing of the other.
        assert_eq!(seconds_until_the_end(&activity, began).await, 30);

        let activity = Activity::new();
        activity.request_begins();
        activity.part_waits();
        activity.part_is_gone();
        let hour = Duration::from_secs(3_600);
        let ended = tokio::time::timeout(hour, activity.runs_out_of(PATIENCE)).await;
        assert!(ended.is_err(), "an answer that is not ready yet was cut off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_answer_is_still_being_written_is_not_idle() {
        let activity = Activity::new();
        activity.request_begins();
        activity.request_ends();
        assert!(activity.idle_from().is_some());
        activity.client_takes_nothing();
        assert!(activity.idle_from().is_none());
        activity.client_takes_bytes();
        assert!(activity.idle_from().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_on_an_idle_http_2_connection_are_no_head() {
        let activity = Activity::new();
        activity.bytes_came(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        activity.request_begins();
        activity.request_ends();
        let began = Instant::now();
        activity.bytes_came(b"ping");
        assert_eq!(seconds_until_the_end(&activity, began).await, 75);
    }
}
