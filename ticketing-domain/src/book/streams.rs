//! How a book takes in streams that are read from the log, and how it drops them.

use thiserror::Error;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};

use super::Book;
use super::shelves::Standing;
use crate::stored::UnreadableEvent;

/// Whether a page of facts was the last one of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// More facts of the stream follow on the next page.
    MoreToCome,
    /// The log has no more facts of the stream.
    Last,
}

/// Whether a book applied the facts that were read for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absorbed {
    /// The facts were applied.
    Taken,
    /// The facts were not applied: while they were being read, the stream was loaded in another way, or was
    /// forgotten.
    Ignored,
}

/// Why a book could not apply the facts that were read for a stream. The book has then forgotten the stream.
#[derive(Debug, Error)]
pub enum NotWhole {
    /// This build cannot read one of the facts.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// Facts are missing between the last one in the book and the first one that was read.
    #[error("stream {stream} has a gap: version {found} was read after version {known}")]
    Gap {
        /// The stream whose facts are missing.
        stream: StreamId,
        /// The version of the last fact that the book has.
        known: Version,
        /// The version of the first fact that was read.
        found: Version,
    },
}

impl Book {
    /// Applies facts that were read from the log: those of `stream` after the version `after`, in order. After the
    /// last page, which may be empty, the stream can be used.
    ///
    /// # Errors
    /// When this build cannot read one of the facts, or a fact is missing.
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
            // The log has fewer facts of the stream than the book, so it has lost some. The stream is dropped and
            // later read anew.
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
            .expect("the book has the stream whose facts it has just applied");
        head.standing = match (page, standing) {
            (Page::Last, _) => Standing::Whole,
            (Page::MoreToCome, Standing::Suspect) => Standing::Stale,
            (Page::MoreToCome, standing) => standing,
        };
        Ok(Absorbed::Taken)
    }

    /// Records that another process may have written to a stream, so that its newer facts are read before it is used.
    /// A stream with uncommitted facts is not marked: their commit fails with a conflict if the log has newer facts.
    pub fn doubt(&mut self, stream: StreamId) {
        self.doubt_as(stream, Standing::Stale);
    }

    /// Records that the log has another version of a stream than the book, a newer or an older one. A stream with
    /// uncommitted facts is not marked: their commit fails with a conflict if the versions differ.
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

    /// Drops a stream from memory, so that it is read again when it is needed. A stream with uncommitted facts is
    /// kept.
    pub fn forget(&mut self, stream: StreamId) {
        if self.shelves.head(stream).is_some_and(|head| head.assumed == 0) {
            self.shelves.remove(stream);
        }
    }

    /// Drops a stream from memory if it is dormant: nothing more happens to it unless somebody sends a command. A
    /// stream with uncommitted facts is kept.
    pub fn forget_if_dormant(&mut self, stream: StreamId) {
        if self.shelves.is_dormant(stream) {
            self.forget(stream);
        }
    }

    /// Drops a stream from memory if only the first of its facts have been read.
    pub fn give_up_loading(&mut self, stream: StreamId) {
        if self
            .shelves
            .head(stream)
            .is_some_and(|head| head.standing == Standing::Loading)
        {
            self.shelves.remove(stream);
        }
    }

    /// Returns the version of a stream; `None` if facts of the stream have to be read before it can be used.
    pub fn version(&self, stream: StreamId) -> Option<Version> {
        let head = self.shelves.head(stream)?;
        (head.standing == Standing::Whole).then_some(head.version)
    }

    /// Returns the version after which the facts of a stream have to be read before the stream can be used.
    pub fn read_from(&self, stream: StreamId) -> Version {
        self.shelves.head(stream).map_or(Version::NONE, |head| head.version)
    }
}
