//! How streams come into a book and leave it.

use thiserror::Error;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};

use super::Book;
use super::shelves::Standing;
use crate::stored::UnreadableEvent;

/// Whether a page of facts was the last one of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The stream has more facts.
    MoreToCome,
    /// The log has no more facts of the stream.
    Last,
}

/// Whether a book took in facts that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absorbed {
    /// The facts were applied.
    Taken,
    /// Nothing changed: the stream became known, or was forgotten, while it was being read.
    Ignored,
}

/// Why facts that were read could not be applied. The book has forgotten the stream.
#[derive(Debug, Error)]
pub enum NotWhole {
    /// This build cannot read one of the facts.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// Facts are missing in between.
    #[error("stream {stream} has a gap: version {found} was read after version {known}")]
    Gap {
        /// The stream.
        stream: StreamId,
        /// The last version that the book has.
        known: Version,
        /// The first version that was read.
        found: Version,
    },
}

impl Book {
    /// Applies facts that were read from the log: those of `stream` after the version `after`, in order. After the last page,
    /// which may be empty, the stream can be used.
    ///
    /// # Errors
    /// When this build cannot read one of the facts, or one is missing.
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
            // The log has fewer facts than the book: it has lost some.
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
        let head = self
            .shelves
            .head_mut(stream)
            .expect("a stream is on its shelf once facts of it were applied");
        head.standing = match (page, standing) {
            (Page::Last, _) => Standing::Whole,
            (Page::MoreToCome, Standing::Suspect) => Standing::Stale,
            (Page::MoreToCome, standing) => standing,
        };
        Ok(Absorbed::Taken)
    }

    /// Records that another process may have written to a stream, so that its newer facts are read before it is used. A stream
    /// with uncommitted facts stays as it is: their commit will find out.
    pub fn doubt(&mut self, stream: StreamId) {
        self.doubt_as(stream, Standing::Stale);
    }

    /// Records that the log has another version of a stream than the book, a newer or an older one. A stream with uncommitted
    /// facts stays as it is: their commit will find out.
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

    /// Drops a stream, so that it is read again when it is needed. A stream with uncommitted facts stays.
    pub fn forget(&mut self, stream: StreamId) {
        if self.shelves.head(stream).is_some_and(|head| head.assumed == 0) {
            self.shelves.remove(stream);
        }
    }

    /// Drops a stream that is dormant, to free memory. A stream with uncommitted facts stays.
    pub fn forget_if_dormant(&mut self, stream: StreamId) {
        if self.shelves.is_dormant(stream) {
            self.forget(stream);
        }
    }

    /// Drops a stream that was read only in part.
    pub fn give_up_loading(&mut self, stream: StreamId) {
        if self
            .shelves
            .head(stream)
            .is_some_and(|head| head.standing == Standing::Loading)
        {
            self.shelves.remove(stream);
        }
    }

    /// Returns the version of a stream that can be used; `None` if it has to be read first.
    pub fn version(&self, stream: StreamId) -> Option<Version> {
        let head = self.shelves.head(stream)?;
        (head.standing == Standing::Whole).then_some(head.version)
    }

    /// Returns the version after which a stream has to be read so that it can be used.
    pub fn read_from(&self, stream: StreamId) -> Version {
        self.shelves.head(stream).map_or(Version::NONE, |head| head.version)
    }
}
