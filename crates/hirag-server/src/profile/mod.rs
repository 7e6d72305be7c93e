//! Where the time of one operation went.
//!
//! The core and the command bodies name stretches of their work as `tracing` spans, which cost
//! nothing while nobody listens. A [`Recorder`] listens to those of one operation, on whichever
//! threads it works, and adds up what has the same name in the same place. So a profile of an import
//! is as small as one of a search.

mod layer;
mod tree;

#[cfg(test)]
mod tests;

pub use layer::Recorder;
pub use tree::{Profile, ProfilePart};
