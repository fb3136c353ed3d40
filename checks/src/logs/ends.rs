//! The ends of connections in a log that names no program, which are those of a server's guests where one address has several high ports.

use std::collections::HashMap;

use super::lexicon::Found;
use super::open::{is_either_end, peer};
use crate::facts::log::{Event, Log, Program};

/// The lowest port that systems give to the client's end of a connection.
const EPHEMERAL: u16 = 32_768;
/// Addresses that are followed.
const ADDRESSES: usize = 64;

/// The ports of the ends that were seen.
#[derive(Default)]
pub(super) struct Ends {
    ports: HashMap<String, u16>,
    /// True if one address had two of a client's ports.
    are_of_clients: bool,
    /// True if a command was typed in the log, which may name ports of its own.
    is_typed: bool,
}

impl Ends {
    /// Takes a line of a log that no sender wrote.
    pub(super) fn take(&mut self, found: &Found) {
        if !matches!(found.event, Some(Event::Closed | Event::Reset)) {
            return;
        }
        let Some((address, port)) = peer(found) else { return };
        let Some(port) = port.parse().ok().filter(|port| *port >= EPHEMERAL) else { return };
        match self.ports.get(&address) {
            Some(known) => self.are_of_clients |= *known != port,
            None if self.ports.len() < ADDRESSES => drop(self.ports.insert(address, port)),
            None => (),
        }
    }

    /// Notes that a command was typed.
    pub(super) fn note_command(&mut self) {
        self.is_typed = true;
    }

    /// Makes a log sshd's where its lines say so, and none of them names a client.
    pub(super) fn tell(&self, log: &mut Log) {
        let may_be_sshds = |program: &Program| is_either_end(program);
        if !self.are_of_clients || self.is_typed || !log.programs.iter().all(may_be_sshds) {
            return;
        }
        let sshd = Program { name: "sshd".to_owned(), version: None };
        for connection in &mut log.connections {
            connection.program = Some(sshd.clone());
        }
        log.programs = vec![sshd];
    }
}
