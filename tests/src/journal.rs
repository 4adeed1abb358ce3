//! The journal: what the server has answered, one JSON object on each line. The books are compared with it.
//!
//! A line is written only after its answer has arrived, so the journal contains only what the server has promised. It
//! survives when the server is killed. If the tool is killed, at most the lines of the last second are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId};
use ticketing_ports::vocabulary::seating::SeatId;

use crate::wire::Line;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The first line of a run.
    Started {
        event: EventId,
        /// Whether this run alone sells tickets of the event.
        sole_seller: bool,
    },
    Held {
        customer: u32,
        reservation: ReservationId,
        lines: Vec<HeldLine>,
        /// Whether the customer has no account, and the order has a secret.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        guest: bool,
    },
    Paid {
        reservation: ReservationId,
    },
    Cancelled {
        reservation: ReservationId,
    },
    /// A hold lasts at least until then.
    Extended {
        reservation: ReservationId,
        expires_at: Timestamp,
    },
    /// A hold was requested, and the answer was lost.
    HoldInDoubt {
        /// How many places of each section were asked for.
        quantities: BTreeMap<String, u32>,
        /// Whether a guest asked, whose order is in no list.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        guest: bool,
    },
    /// A payment or cancellation was requested, and the answer was lost or has not arrived yet.
    ChangeInDoubt {
        reservation: ReservationId,
    },
    /// The consistency token with which a read shows the last write of a customer.
    Consistency {
        token: String,
    },
}

/// What a hold has in one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    pub section: String,
    /// The seats. Empty if the section has general admission.
    pub seats: BTreeSet<SeatId>,
    pub quantity: u32,
}

impl From<&Line> for HeldLine {
    fn from(line: &Line) -> Self {
        Self {
            section: line.section.clone(),
            seats: line.seats.iter().map(|seat| seat.seat_id.clone()).collect(),
            quantity: line.quantity,
        }
    }
}

/// Keeps every entry in memory and, if one was opened, in a file.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<Entry>,
    file: Option<BufWriter<File>>,
}

impl Journal {
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the file to append lines.
    ///
    /// # Errors
    /// Fails if the file cannot be opened for writing.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            entries: Vec::new(),
            file: Some(BufWriter::new(file)),
        })
    }

    /// Adds an entry in memory and, if a file was opened, as a line to that file.
    ///
    /// # Errors
    /// Fails if the file cannot be written. The run must then stop, because its journal would be incomplete.
    pub fn record(&mut self, entry: Entry) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            serde_json::to_writer(&mut *file, &entry)?;
            file.write_all(b"\n")?;
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the lines that are still buffered to the file, if one was opened.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), io::Write::flush)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[derive(Debug, Error)]
pub enum ReadJournalError {
    #[error("the journal cannot be read")]
    Io(#[from] io::Error),
    #[error("line {line} of the journal is not an entry")]
    Line {
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("the journal does not begin with the start of a run")]
    NoStart,
}

/// Reads a journal back, one list of entries for each run that was appended to it.
///
/// # Errors
/// Fails if the file cannot be read or a line is not an entry. A last line that was cut off is skipped.
pub fn read(path: &Path) -> Result<Vec<Vec<Entry>>, ReadJournalError> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut runs: Vec<Vec<Entry>> = Vec::new();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        reader.read_line(&mut text)?;
        if !text.ends_with('\n') {
            break;
        }
        let entry = serde_json::from_str(&text).map_err(|source| ReadJournalError::Line { line, source })?;
        if matches!(entry, Entry::Started { .. }) {
            runs.push(Vec::new());
        }
        runs.last_mut().ok_or(ReadJournalError::NoStart)?.push(entry);
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_journal_is_read_back_run_by_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let runs = [vec![started(1), paid(2)], vec![started(3), held(4), paid(4)]];

        for run in &runs {
            let mut journal = Journal::append_to(&path).unwrap();
            run.iter().for_each(|entry| journal.record(entry.clone()).unwrap());
            journal.flush().unwrap();
        }

        assert_eq!(read(&path).unwrap(), runs);
    }

    #[test]
    fn a_last_line_that_was_cut_off_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let whole = serde_json::to_string(&started(1)).unwrap();
        std::fs::write(&path, format!("{whole}\n{}", &whole[..20])).unwrap();
        assert_eq!(read(&path).unwrap(), [[started(1)]]);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let whole = serde_json::to_string(&started(1)).unwrap();
        std::fs::write(&path, format!("{whole}\nhello\n{whole}\n")).unwrap();
        assert!(matches!(read(&path), Err(ReadJournalError::Line { line: 2, .. })));
    }

    fn started(event: u128) -> Entry {
        Entry::Started {
            event: EventId::new(Uuid::from_u128(event)),
            sole_seller: true,
        }
    }

    fn held(id: u128) -> Entry {
        Entry::Held {
            customer: 7,
            reservation: ReservationId::new(Uuid::from_u128(id)),
            lines: vec![HeldLine {
                section: "Stalls".to_owned(),
                seats: [SeatId::parse("A-1").unwrap()].into(),
                quantity: 1,
            }],
            guest: id.is_multiple_of(2),
        }
    }

    fn paid(id: u128) -> Entry {
        Entry::Paid {
            reservation: ReservationId::new(Uuid::from_u128(id)),
        }
    }
}
