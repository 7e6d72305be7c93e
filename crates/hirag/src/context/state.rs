use std::fmt;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::Context;

/// Names a state of what can be changed of a context, to change it only if nobody else has. Being
/// found by a search is no change.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateTag([u8; 16]);

impl Context {
    /// The tag of its state.
    #[must_use]
    pub fn state_tag(&self) -> StateTag {
        let state = json!([
            self.content_hash,
            self.level,
            self.metadata,
            self.updated_at,
            self.expires_at,
            self.deleted_at,
        ]);
        let hash: [u8; 32] = Sha256::digest(state.to_string().as_bytes()).into();
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash[..16]);
        StateTag(tag)
    }
}

impl fmt::Display for StateTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateTag({self})")
    }
}
