//! Reads the sources of the workspace: which module uses which, and how long things are.

mod files;
mod functions;
mod graph;
mod names;
mod uses;

pub(crate) use files::{Crate, every_rust_file, members};
pub(crate) use functions::functions;
pub(crate) use graph::Graph;
