//! The type of a sentence.

use crate::causes::told::families::Candidate;

/// Words, and the likeliest causes of what they tell.
pub(super) type Sentence = (&'static str, &'static [Candidate]);
