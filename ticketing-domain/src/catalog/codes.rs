//! The codes of an event, as its facts tell them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::SecondsFormat;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::ids::CodeId;
use ticketing_ports::vocabulary::pricing::NamedCode;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::text::folded;

use crate::refusal::Refusal;

/// A code of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The id of the code, and what customers enter.
    pub named: NamedCode,
    /// What the code does, when, and how often. Codes that were added together share it.
    pub rules: Arc<CodeRules>,
    /// Whether the organiser has ended the code.
    pub ended: bool,
}

impl Code {
    /// Checks that customers may enter the code at `now`. Before its time a code is refused like an unknown one, so that
    /// nobody finds it out by trying.
    ///
    /// # Errors
    /// When the code was ended, or its time has not come or is over.
    pub fn may_be_entered(&self, now: Timestamp) -> Result<(), Refusal> {
        let code = &self.named.code;
        if self.rules.available_from.is_some_and(|from| now < from) {
            return Err(unknown());
        }
        let reason = if self.ended {
            format!("{code} is no longer valid")
        } else if let Some(until) = self.rules.available_until.filter(|until| *until <= now) {
            let until = until.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            format!("{code} was valid until {until}")
        } else {
            return Ok(());
        };
        Err(Refusal::invalid("code", reason))
    }
}

/// Refuses a code that the event does not have.
pub(super) fn unknown() -> Refusal {
    Refusal::invalid("code", "is not a code of this event")
}

/// The codes of an event, in the order in which they were added.
///
/// A copy costs little, however many codes there are: each batch of codes that were added together is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    batches: Vec<Arc<Batch>>,
    ended: Arc<BTreeSet<CodeId>>,
    count: usize,
}

/// Codes that were added together.
#[derive(Debug, PartialEq, Eq)]
struct Batch {
    codes: Vec<NamedCode>,
    rules: Arc<CodeRules>,
    by_text: BTreeMap<String, usize>,
    by_id: BTreeMap<CodeId, usize>,
}

impl Codes {
    /// Returns the code that a customer means, however the letters are written; `None` if there is none.
    pub fn find(&self, text: &str) -> Option<Code> {
        let text = text.trim();
        if self.batches.is_empty() || text.chars().nth(Label::MAX_CHARACTERS).is_some() {
            return None;
        }
        let text = folded(text);
        let mut found = self.batches.iter();
        found.find_map(|batch| Some(self.code(batch, *batch.by_text.get(&text)?)))
    }

    /// Returns the code with that id; `None` if there is none.
    pub fn get(&self, id: CodeId) -> Option<Code> {
        let mut found = self.batches.iter();
        found.find_map(|batch| Some(self.code(batch, *batch.by_id.get(&id)?)))
    }

    /// Returns all codes.
    pub fn all(&self) -> impl Iterator<Item = Code> + '_ {
        self.batches.iter().flat_map(|batch| self.codes_of(batch))
    }

    /// Returns the codes that were added last, all by one command.
    pub fn added_last(&self) -> impl Iterator<Item = Code> + '_ {
        self.batches.last().into_iter().flat_map(|batch| self.codes_of(batch))
    }

    /// Returns how many codes there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns how many times codes were added.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    fn codes_of<'c>(&'c self, batch: &'c Batch) -> impl Iterator<Item = Code> + 'c {
        (0..batch.codes.len()).map(|index| self.code(batch, index))
    }

    fn code(&self, batch: &Batch, index: usize) -> Code {
        let named = batch.codes[index].clone();
        Code {
            ended: self.ended.contains(&named.code_id),
            named,
            rules: Arc::clone(&batch.rules),
        }
    }

    pub(super) fn add(&mut self, codes: &[NamedCode], rules: &CodeRules) {
        let numbered = || codes.iter().enumerate();
        self.count += codes.len();
        self.batches.push(Arc::new(Batch {
            by_text: numbered()
                .map(|(index, named)| (folded(named.code.as_str()), index))
                .collect(),
            by_id: numbered().map(|(index, named)| (named.code_id, index)).collect(),
            codes: codes.to_vec(),
            rules: Arc::new(rules.clone()),
        }));
    }

    pub(super) fn end(&mut self, id: CodeId) {
        Arc::make_mut(&mut self.ended).insert(id);
    }
}
