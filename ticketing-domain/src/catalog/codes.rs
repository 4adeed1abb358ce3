//! The codes of an event, as its facts tell them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::SecondsFormat;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::ids::CodeId;
use ticketing_ports::vocabulary::pricing::NamedCode;
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
    /// Checks that customers may enter the code at `now`.
    ///
    /// # Errors
    /// When the code was ended, or its time has not come or is over.
    pub fn may_be_entered(&self, now: Timestamp) -> Result<(), Refusal> {
        let code = &self.named.code;
        let at = |time: Timestamp| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let reason = if self.ended {
            format!("{code} is no longer valid")
        } else if let Some(from) = self.rules.available_from.filter(|from| now < *from) {
            format!("{code} is valid from {} on", at(from))
        } else if let Some(until) = self.rules.available_until.filter(|until| *until <= now) {
            format!("{code} was valid until {}", at(until))
        } else {
            return Ok(());
        };
        Err(Refusal::invalid("code", reason))
    }
}

/// The codes of an event, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    listed: Vec<Code>,
    by_text: BTreeMap<String, usize>,
    by_id: BTreeMap<CodeId, usize>,
    /// How many codes were added last.
    added: usize,
}

impl Codes {
    /// Returns the code that a customer means, however the letters are written; `None` if there is none.
    pub fn find(&self, text: &str) -> Option<&Code> {
        Some(&self.listed[*self.by_text.get(&folded(text.trim()))?])
    }

    /// Returns the code with that id; `None` if there is none.
    pub fn get(&self, id: CodeId) -> Option<&Code> {
        Some(&self.listed[*self.by_id.get(&id)?])
    }

    /// Returns all codes.
    pub fn all(&self) -> &[Code] {
        &self.listed
    }

    /// Returns the codes that were added last, all by one command.
    pub fn added_last(&self) -> &[Code] {
        &self.listed[self.listed.len() - self.added..]
    }

    pub(super) fn add(&mut self, codes: &[NamedCode], rules: &CodeRules) {
        let rules = Arc::new(rules.clone());
        self.added = codes.len();
        for named in codes {
            let index = self.listed.len();
            self.by_text.insert(folded(named.code.as_str()), index);
            self.by_id.insert(named.code_id, index);
            self.listed.push(Code {
                named: named.clone(),
                rules: Arc::clone(&rules),
                ended: false,
            });
        }
    }

    pub(super) fn end(&mut self, id: CodeId) {
        if let Some(index) = self.by_id.get(&id) {
            self.listed[*index].ended = true;
        }
    }
}
