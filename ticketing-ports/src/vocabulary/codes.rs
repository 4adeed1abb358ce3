//! Codes that customers enter for a lower price.

use serde::{Deserialize, Serialize};

use crate::vocabulary::ids::CodeId;
use crate::vocabulary::seating::Label;

/// A code, as it was called on a certain day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCode {
    /// The id of the code.
    pub code_id: CodeId,
    /// What customers enter.
    pub code: Label,
}
