//! How a book gets to know streams, and forgets them.

use thiserror::Error;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};

use super::Book;
use super::shelves::Standing;
use crate::stored::UnreadableEvent;

/// Whether more of a stream is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    MoreToCome,
    Last,
}

/// What became of facts that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absorbed {
    Taken,
    /// The stream has become known, or was forgotten, meanwhile.
    Ignored,
}

/// Why a stream is not known although facts of it were read. The book has forgotten it.
#[derive(Debug, Error)]
pub enum NotWhole {
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    #[error("stream {stream} goes on with version {found} after {known}")]
    Gap {
        stream: StreamId,
        known: Version,
        found: Version,
    },
}

impl Book {
    /// Takes in what was read of a stream after a version, in order; on the last page without any facts, the stream is
    /// known to have no more.
    ///
    /// # Errors
    /// When this build cannot read one of them, or one is missing.
    pub fn absorb(
        &mut self,
        stream: StreamId,
        after: Version,
        facts: &[RecordedEvent],
        page: Page,
    ) -> Result<Absorbed, NotWhole> {
        let head = self.shelves.head(stream);
        let (known, standing) = head.map_or((Version::NONE, Standing::Loading), |head| (head.version, head.standing));
        if standing == Standing::Whole || known != after {
            return Ok(Absorbed::Ignored);
        }
        if standing == Standing::Suspect && facts.is_empty() && page == Page::Last {
            // The log is behind what was known of it: it has lost facts.
            self.shelves.remove(stream);
            return Ok(Absorbed::Taken);
        }
        if let Some(first) = facts.first()
            && first.version != known.next()
        {
            self.shelves.remove(stream);
            return Err(NotWhole::Gap {
                stream,
                known,
                found: first.version,
            });
        }
        if let Err(unreadable) = self.shelves.absorb(stream, facts) {
            self.shelves.remove(stream);
            return Err(unreadable.into());
        }
        let head = self.shelves.head_mut(stream).expect("an absorbed stream is known");
        head.standing = match (page, standing) {
            (Page::Last, _) => Standing::Whole,
            (Page::MoreToCome, Standing::Suspect) => Standing::Stale,
            (Page::MoreToCome, standing) => standing,
        };
        Ok(Absorbed::Taken)
    }

    /// Takes note that somebody else may have written to a stream; unless something of it is assumed, for then the commit
    /// will tell.
    pub fn doubt(&mut self, stream: StreamId) {
        self.doubt_as(stream, Standing::Stale);
    }

    /// Takes note that the log is elsewhere than this book knows, further on or behind; likewise.
    pub fn suspect(&mut self, stream: StreamId) {
        self.doubt_as(stream, Standing::Suspect);
    }

    fn doubt_as(&mut self, stream: StreamId, standing: Standing) {
        if let Some(head) = self.shelves.head_mut(stream)
            && head.standing != Standing::Loading
            && head.assumed == 0
        {
            head.standing = standing;
        }
    }

    /// Drops what is known of a stream, so that it is read again when it is needed; unless something of it is assumed.
    pub fn forget(&mut self, stream: StreamId) {
        if self.shelves.head(stream).is_some_and(|head| head.assumed == 0) {
            self.shelves.remove(stream);
        }
    }

    /// Drops a stream that nothing more will come of on its own, unless something of it is assumed.
    pub fn forget_if_settled(&mut self, stream: StreamId) {
        if self.shelves.is_settled(stream) {
            self.forget(stream);
        }
    }

    /// Drops a stream of which only the first pages came.
    pub fn give_up_loading(&mut self, stream: StreamId) {
        if self
            .shelves
            .head(stream)
            .is_some_and(|head| head.standing == Standing::Loading)
        {
            self.shelves.remove(stream);
        }
    }

    /// How many facts of the stream are known; `None` if it is not known, or has to be read further before it is used.
    pub fn version(&self, stream: StreamId) -> Option<Version> {
        let head = self.shelves.head(stream)?;
        (head.standing == Standing::Whole).then_some(head.version)
    }

    /// After which version a stream has to be read so that it is known.
    pub fn read_from(&self, stream: StreamId) -> Version {
        self.shelves.head(stream).map_or(Version::NONE, |head| head.version)
    }
}
