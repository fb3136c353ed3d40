//! What looks: one folder a subject.

pub mod sessions;
