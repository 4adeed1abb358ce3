//! The fold of one event's facts, with the domain's own reducers, and the states that are made of it.

use std::sync::Arc;

use thiserror::Error;
use ticketing_domain::catalog::{CatalogState, Listing};
use ticketing_domain::command::Reply as _;
use ticketing_domain::facts::Fact;
use ticketing_domain::inventory::InventoryState;
use ticketing_domain::policy;
use ticketing_domain::quotas::TicketsLeft;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::{EventId, SectionId};
use ticketing_ports::vocabulary::roles::Actor;

use super::kept::Kept;
use super::state::{BoardSection, BoardState};
use crate::follow::LoggedFact;

/// Why a fact could not be applied to a board.
#[derive(Debug, Error)]
pub(super) enum CannotApply {
    /// The board lacks facts that come before this one.
    #[error("stream {stream} has a gap: version {found} came after version {known}")]
    Gap {
        stream: StreamId,
        known: Version,
        found: Version,
    },
    /// This build cannot read the fact.
    #[error("a fact of stream {stream} cannot be read: {why}")]
    Unreadable { stream: StreamId, why: String },
}

/// What the facts of one event add up to.
#[derive(Debug)]
pub(super) struct Board {
    event_id: EventId,
    catalog: CatalogState,
    /// How many facts of the catalog stream were applied.
    version: Version,
    sections: Vec<Section>,
    /// The state that was made last, for as long as it is right.
    made: Option<(Arc<BoardState>, Span)>,
}

/// What the facts of one section add up to.
#[derive(Debug)]
struct Section {
    id: SectionId,
    inventory: InventoryState,
    /// How many facts of the section were applied.
    version: Version,
    /// When the last of these facts was recorded.
    last_updated: Timestamp,
    /// The section as it was shown last, for as long as that is right.
    shown: Option<Shown>,
}

#[derive(Debug, Clone)]
struct Shown {
    section: Arc<BoardSection>,
    lapsed: u64,
    span: Span,
}

/// The time during which no hold runs out: from a moment on, until just before another, if any.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Span {
    fn includes(self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: self.until.into_iter().chain(other.until).min(),
        }
    }
}

impl Board {
    pub(super) fn new(event_id: EventId) -> Self {
        Self {
            event_id,
            catalog: CatalogState::default(),
            version: Version::NONE,
            sections: Vec::new(),
            made: None,
        }
    }

    /// Returns the catalog entry; `None` if there is no such event.
    pub(super) fn listing(&self) -> Option<&Listing> {
        self.catalog.listing()
    }

    /// Returns the catalog entry, if the viewer may see it at `now`.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event, or the viewer may not see it.
    pub(super) fn listing_seen_by(&self, viewer: Option<Actor>, now: Timestamp) -> Result<&Listing, Refusal> {
        let listing = self.catalog.listing();
        let seen = listing.filter(|listing| policy::may_see_event(viewer, listing.status_at(now), listing.owner_id));
        seen.ok_or(Refusal::EventNotFound(self.event_id))
    }

    /// Makes room for the sections that the catalog lists, in the organiser's order. Returns their streams.
    pub(super) fn begin_sections(&mut self) -> Vec<StreamId> {
        let listed = self.catalog.listing().map(|listing| Arc::clone(&listing.details));
        let ids = listed.iter().flat_map(|details| &details.sections);
        let sections = ids.map(|section| Section {
            id: section.section_id,
            inventory: InventoryState::default(),
            version: Version::NONE,
            last_updated: Timestamp::MIN_UTC,
            shown: None,
        });
        self.sections = sections.collect();
        self.sections.iter().map(|section| section.id.into()).collect()
    }

    /// Begins a section with a state that was read from a snapshot.
    pub(super) fn begin_with(&mut self, stream: StreamId, version: Version, inventory: InventoryState) {
        if let Some(section) = self.sections.iter_mut().find(|section| stream == section.id.into()) {
            section.inventory = inventory;
            section.version = version;
        }
    }

    /// Returns how many facts of this section were applied.
    pub(super) fn version_of(&self, stream: StreamId) -> Version {
        let section = self.sections.iter().find(|section| stream == section.id.into());
        section.map_or(Version::NONE, |section| section.version)
    }

    /// Applies a fact, unless it was applied before. Returns whether seats have changed.
    pub(super) fn apply(&mut self, fact: &LoggedFact) -> Result<bool, CannotApply> {
        let recorded = fact.recorded();
        let stream = recorded.stream;
        match stream.aggregate {
            Aggregate::Catalog if stream == self.event_id.into() => {
                if is_next(stream, self.version, recorded.version)?
                    && let Fact::Catalog(event) = read(fact)?
                {
                    self.catalog.evolve(event);
                    self.version = recorded.version;
                }
                Ok(false)
            }
            Aggregate::Inventory => {
                let section = self.sections.iter_mut().find(|section| stream == section.id.into());
                let changed = section.map_or(Ok(false), |section| section.apply(fact))?;
                if changed {
                    self.made = None;
                }
                Ok(changed)
            }
            _ => Ok(false),
        }
    }

    /// Returns the state at `now`, which is made anew only if something has changed.
    pub(super) fn state(&mut self, now: Timestamp) -> Arc<BoardState> {
        if let Some((state, span)) = &self.made
            && span.includes(now)
        {
            return Arc::clone(state);
        }
        let sequence = views::sequence(self.sections.iter().map(|section| section.version));
        let shown: Vec<_> = self
            .sections
            .iter_mut()
            .filter_map(|section| section.show(now))
            .collect();
        let always = Span {
            from: Timestamp::MIN_UTC,
            until: None,
        };
        let span = shown.iter().fold(always, |span, shown| span.and(shown.span));
        let left = self.left(now);
        let state = Arc::new(BoardState {
            event_id: self.event_id,
            sequence,
            lapsed: shown.iter().map(|shown| shown.lapsed).sum(),
            at: now,
            sections: shown.into_iter().map(|shown| shown.section).collect(),
            left,
            kept: Kept::default(),
        });
        self.made = Some((Arc::clone(&state), span));
        state
    }

    /// Returns how many tickets are left at `now` where the event limits them.
    fn left(&self, now: Timestamp) -> TicketsLeft {
        let Some(listing) = self.catalog.listing() else {
            return TicketsLeft::default();
        };
        let section = |id| {
            let found = self.sections.iter().find(|section| section.id == id);
            found.map(|section| &section.inventory).ok_or(())
        };
        TicketsLeft::of(&listing.details, now, section).unwrap_or_default()
    }

    /// Returns when the next hold runs out after the state that was made last. `None` if no hold will.
    pub(super) fn next_lapse(&self) -> Option<Timestamp> {
        self.made.as_ref().and_then(|(_, span)| span.until)
    }
}

impl Section {
    fn apply(&mut self, fact: &LoggedFact) -> Result<bool, CannotApply> {
        let recorded = fact.recorded();
        if recorded.version == self.version {
            // The section began with a snapshot, which does not say when its last fact was recorded.
            self.last_updated = recorded.recorded_at;
        }
        if !is_next(recorded.stream, self.version, recorded.version)? {
            return Ok(false);
        }
        if let Fact::Inventory(event) = read(fact)? {
            drop(self.inventory.evolve(event));
        }
        self.version = recorded.version;
        self.last_updated = recorded.recorded_at;
        self.shown = None;
        Ok(true)
    }

    /// Returns the section as it is at `now`; `None` if it was not opened.
    fn show(&mut self, now: Timestamp) -> Option<Shown> {
        if let Some(shown) = self.shown.as_ref().filter(|shown| shown.span.includes(now)) {
            return Some(shown.clone());
        }
        let (lapsed, last) = self
            .inventory
            .lapsed(now)
            .fold((0, None), |(count, _), end| (count + 1, Some(end)));
        let availability = SectionAvailability {
            last_updated: last.map_or(self.last_updated, |end| end.max(self.last_updated)),
            ..SectionAvailability::view(&self.inventory, self.version, now)?
        };
        let rows = self.inventory.seat_rows(now);
        let shown = Shown {
            section: Arc::new(BoardSection { availability, rows }),
            lapsed,
            span: Span {
                from: last.unwrap_or(Timestamp::MIN_UTC),
                until: self.inventory.next_lapse(now),
            },
        };
        self.shown = Some(shown.clone());
        Some(shown)
    }
}

/// Returns whether the fact `found` follows the fact `known`, the last one that was applied. It does not if it was
/// applied before.
fn is_next(stream: StreamId, known: Version, found: Version) -> Result<bool, CannotApply> {
    if found > known.next() {
        return Err(CannotApply::Gap { stream, known, found });
    }
    Ok(found == known.next())
}

fn read(fact: &LoggedFact) -> Result<&Fact, CannotApply> {
    fact.typed().map_err(|why| CannotApply::Unreadable {
        stream: fact.recorded().stream,
        why: why.to_string(),
    })
}
