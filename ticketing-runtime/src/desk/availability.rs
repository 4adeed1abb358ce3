//! Questions about the seats of an event.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::on_offer::OnOffer;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::{Availability, SectionAvailability};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::failure::{Failure, UnavailableCause};
use crate::live::{BoardReader, BoardState, LiveBoards, Look};
use crate::token::ConsistencyToken;

/// How long a question waits at most until a live board shows a write. Then the slower sides are asked.
const BOARD_PATIENCE: Duration = Duration::from_millis(200);

/// How many places of each section of an event are available, held, sold and blocked.
#[derive(Debug)]
pub enum AvailabilityAnswer {
    /// The answer of the live board. Others may have got the same state.
    Live(Arc<BoardState>),
    /// The answer of the read models, because the event has no live board that could answer.
    Rows(Availability),
}

impl AvailabilityAnswer {
    /// How many times a count of any section has changed.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Live(state) => state.sequence,
            Self::Rows(rows) => rows.sequence,
        }
    }

    /// How many holds have run out although no fact says yet that their places are released.
    pub fn lapsed(&self) -> u64 {
        match self {
            Self::Live(state) => state.lapsed,
            Self::Rows(rows) => rows.lapsed,
        }
    }

    /// The sections, in the order in which the organiser listed them.
    pub fn sections(&self) -> Vec<&SectionAvailability> {
        match self {
            Self::Live(state) => state.sections.iter().map(|section| &section.availability).collect(),
            Self::Rows(rows) => rows.sections.iter().collect(),
        }
    }
}

impl Desk {
    /// Returns how many seats each section has available, held, sold and blocked at this moment. Drafts are shown
    /// only to those who may manage them.
    ///
    /// The answer shows the writes that `seen` stands for. It comes from the live board if the event has one; else
    /// from the read models, and a board is loaded in the background for later questions.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if there is no such event or the viewer may not see it.
    pub async fn availability(
        &self,
        viewer: Option<Actor>,
        id: EventId,
        seen: Option<&ConsistencyToken>,
    ) -> Result<AvailabilityAnswer, Failure> {
        // What a board refuses counts only once it has caught up: the event may have been published meanwhile.
        if let Some(boards) = &self.boards
            && boards.shows(viewer, id).unwrap_or(true)
            && self.board_reaches(boards, seen).await
            && let Some(look) = boards.look(viewer, id)?
        {
            return Ok(AvailabilityAnswer::Live(look.state));
        }
        if let Some(token) = seen {
            self.catch_up(token).await?;
        }
        self.event(viewer, id).await?;
        if let Some(boards) = &self.boards {
            boards.begin(id);
        }
        let now = self.ports.clock.now();
        let rows = self.ports.availability.availability(id, now).await?;
        rows.map(AvailabilityAnswer::Rows)
            .ok_or_else(|| Refusal::EventNotFound(id).into())
    }

    /// Returns one section with its seats. Drafts are shown only to those who may manage them.
    ///
    /// The answer shows the writes that `seen` stands for, and every write that this process has answered. It comes
    /// from the live board if the event has one; else from the write side, and a board is loaded in the background for
    /// later questions.
    ///
    /// # Errors
    /// Fails if there is no such event, if the viewer may not see it, or if it has no such section.
    pub async fn section(
        &self,
        viewer: Option<Actor>,
        event: EventId,
        name: &str,
        seen: Option<&ConsistencyToken>,
    ) -> Result<SectionView, Failure> {
        if let Some(boards) = &self.boards
            && boards.shows(viewer, event).unwrap_or(true)
            && self.board_shows_own_writes(boards, seen).await
            && let Some(look) = boards.look(viewer, event)?
        {
            return section_of(look, name).ok_or_else(|| Refusal::no_section(name).into());
        }
        let section = self.office.section(viewer, event, name).await?;
        if let Some(boards) = &self.boards {
            boards.begin(event);
        }
        Ok(section)
    }

    /// Watches the seats of an event. Drafts are shown only to those who may manage them.
    ///
    /// # Errors
    /// Fails as [`LiveBoards::watch`] does, and with [`Failure::Unavailable`] if this process keeps no live boards.
    pub async fn watch(&self, viewer: Option<Actor>, event: EventId) -> Result<BoardReader, Failure> {
        let boards = self.boards.as_ref();
        let boards = boards.ok_or(Failure::Unavailable(UnavailableCause::BoardNotLoaded))?;
        boards.watch(viewer, event).await
    }

    /// Waits for a moment until the boards show what the token stands for. Returns whether they do. Without a token they
    /// do at once.
    async fn board_reaches(&self, boards: &LiveBoards, token: Option<&ConsistencyToken>) -> bool {
        let Some(token) = token else {
            return true;
        };
        let Ok(log) = self.office.log().identity().await else {
            return false;
        };
        let Some(wanted) = token.of(log) else {
            return true;
        };
        if wanted.incarnation != log.incarnation {
            return false;
        }
        boards_reach(boards, log, wanted.position).await
    }

    /// Waits for a moment until the boards show what this process has written, and what the token stands for. Returns
    /// whether they do.
    async fn board_shows_own_writes(&self, boards: &LiveBoards, token: Option<&ConsistencyToken>) -> bool {
        let own = match boards.newest() {
            Some((log, newest)) => boards_reach(boards, log, newest).await,
            None => true,
        };
        own && self.board_reaches(boards, token).await
    }
}

/// Waits for a moment until the boards show all facts of this log up to `position`. Returns whether they do.
async fn boards_reach(boards: &LiveBoards, log: LogIdentity, position: Position) -> bool {
    let mut reached = boards.reached();
    let shown = reached.wait_for(|reached| reached.has(log, position));
    let shown = tokio::time::timeout(BOARD_PATIENCE, shown).await;
    shown.is_ok_and(|open| open.is_ok())
}

/// Returns a section of a board; `None` if the event has no such section.
fn section_of(look: Look, name: &str) -> Option<SectionView> {
    let Look { state, details, now } = look;
    let found = details.section(name)?;
    let section = state
        .sections
        .iter()
        .find(|section| section.availability.section_id == found.section_id)?;
    let offer = OnOffer::of(&details, found, &state.left, now);
    Some(SectionView {
        event_id: state.event_id,
        sequence: state.sequence,
        price: offer.price,
        left: offer.left,
        ticket_types: offer.ticket_types,
        availability: section.availability.clone(),
        rows: section.rows.clone(),
    })
}
