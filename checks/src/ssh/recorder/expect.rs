//! The packets expected on a connection.

use std::time::Duration;

/// The packets expected from the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// An answer to our last data; where data moves all the time, the longest time between two of our packets.
    Answers(Option<Duration>),
    /// Nothing, except an answer to data that we send from now on.
    Silence,
    /// One line of its own accord, after so long, and nothing before it.
    Line(Duration),
    /// A line of its own accord, this often.
    Lines(Duration),
    /// An answer of its kernel to ours, this often (TCP keepalives).
    Acknowledgements(Duration),
    /// Acknowledgements of what we send, and nothing more: a connection to a hop, which carries what others answer, or one that is opened
    /// to see whether an answer comes.
    Receipt,
}
