//! The packets expected on a connection.

use std::time::Duration;

/// The packets expected from the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// An answer to whatever we sent last; where data moves all the time, the longest time between two words of ours.
    Answers(Option<Duration>),
    /// Nothing, but an answer to whatever we send from now on.
    Silence,
    /// One line of its own accord, after so long, and nothing before it.
    Line(Duration),
    /// A line of its own accord, this often.
    Lines(Duration),
    /// An answer of its kernel to ours, this often (TCP keepalives).
    Acknowledgements(Duration),
    /// That it acknowledges what we send: a connection to a hop, which carries what others answer.
    Carriage,
}
