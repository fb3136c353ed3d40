//! The assignment of messages to connections, and the grouping of connections with the same outcome.

use std::collections::HashMap;

use super::beside::Beside;
use super::cut::cut;
use super::lexicon::{Found, Lexicon};
use super::marks::{
    begins_a_run, changes_the_account, connects_elsewhere, is_a_clients, is_a_refused_account, is_a_sessions_last_word,
    is_a_stack_frame, is_about_ssh, is_output, prompt_host, says_that_it_hangs, speaks_ftp,
};
use super::mask::Message;
use super::open::{Open, Peer, is_either_end, peer, span};
use super::programs::{self, names_ssh};
use super::record::Record;
use super::served::Served;
use super::unquoted::unquoted;
use crate::facts::Check;
use crate::facts::log::{Connection, Event, Line, Log, Program};

/// The number of distinct connection outcomes that are kept.
const WAYS: usize = 256;
/// Addresses that are counted and kept of each way.
const PEERS_COUNTED: usize = 256;
const PEERS: usize = 12;
/// The number of unknown complaints, and the bytes of a line, that are kept.
const UNKNOWN: usize = 8;
const TEXT: usize = 400;

/// The lowest port of a client's end, with room for those of a NAT.
const EPHEMERAL: u16 = 10_000;
/// Messages that are compared with the beginnings of texts, which takes long.
const CUT: u32 = 100;

/// Collects the connections of a log.
pub(super) struct Collector<'a> {
    lexicon: &'a Lexicon,
    /// The connection of a client's log, or of a log without process ids.
    current: Open,
    /// The connections of a server's log.
    served: Served,
    /// The messages beside one that names SSH, of the same process.
    beside: Beside,
    /// The messages so far that the edge of a screen cut.
    cut: u32,
    /// The connections that went alike, in the order of their first lines.
    ways: Vec<(Signature, Connection)>,
    index: HashMap<Signature, usize>,
    /// True below a typed command that opens a session of another account of this machine.
    is_another_account: bool,
    /// True if a stack trace has a frame of an SSH library.
    has_frames_of_ssh: bool,
    /// The first lines that neither are known nor sound like a complaint.
    plain: Vec<Line>,
    log: Log,
}

/// The course of a connection.
type Signature = (Option<String>, Vec<usize>, Option<Check>, Option<Event>);

impl<'a> Collector<'a> {
    pub(super) fn new(lexicon: &'a Lexicon) -> Self {
        Self {
            lexicon,
            current: Open::default(),
            served: Served::default(),
            beside: Beside::default(),
            cut: 0,
            ways: Vec::new(),
            index: HashMap::new(),
            is_another_account: false,
            has_frames_of_ssh: false,
            plain: Vec::new(),
            log: Log::default(),
        }
    }

    /// Takes the message of a line.
    pub(super) fn take(&mut self, number: u64, record: &Record<'_>) {
        let concerns = record.ident.as_deref().is_none_or(|ident| programs::concerns_ssh(ident, &record.message));
        if !concerns && !self.beside.is_next(number, record) {
            return;
        }
        if concerns {
            for (number, record) in self.beside.before(record) {
                self.read(number, &record);
            }
        }
        self.read(number, record);
    }

    fn read(&mut self, number: u64, record: &Record<'_>) {
        if let Some((_, text)) = &record.stamp {
            span(&mut self.log.first, &mut self.log.last, text);
        }
        // Ansible and JSON quote what ssh printed, line ends and all.
        let messages = unquoted(&record.message);
        self.log.quoted_lines += messages.len() as u64 - 1;
        for message in messages {
            self.message(number, record, &Message::new(&message));
        }
    }

    fn message(&mut self, number: u64, record: &Record<'_>, message: &Message<'_>) {
        if begins_a_run(message.text) && self.current.has_complaints() {
            let over = std::mem::take(&mut self.current);
            self.close(over);
        }
        let mut found = match record.ident.as_deref() {
            Some(ident) if programs::is_server(ident) => self.lexicon.look_in_english(message),
            _ => self.lexicon.look(message),
        };
        if found.symptoms.is_empty()
            && record.stamp.is_some()
            && self.cut < CUT
            && let Some(cut) = cut(message.text)
        {
            self.cut += 1;
            found.symptoms = self.lexicon.symptoms_cut(cut);
        }
        self.log.names_ssh |= !self.log.names_ssh && is_about_ssh(message.text);
        if begins_a_run(message.text) || changes_the_account(message.text) {
            self.is_another_account = changes_the_account(message.text);
        }
        // The shell that is refused is that of `su`.
        if self.is_another_account && is_a_refused_account(message.text) {
            self.log.changes_the_account = true;
            return;
        }
        // FTP's connection is none of SSH.
        if speaks_ftp(message.text) {
            (found.event, found.symptoms) = (None, Vec::new());
        }
        let english = found.english.take();
        let english = || english.as_deref().map(|english| kept(&Message::new(english)));
        if let Some(name) = self.server(record, message, &found) {
            let version =
                found.program.take().filter(|program| program.name == name).and_then(|program| program.version);
            found.program = Some(Program { name, version });
        }
        if let Some(program) = &found.program {
            self.know(program);
        }
        let line = || Line { number, text: kept(message), english: english() };
        if found.event.is_none()
            && found.symptoms.is_empty()
            && self.current.awaits_a_shell_of(prompt_host(message.text))
        {
            found.event = Some(Event::RequestGranted);
        }
        if found.event.is_none() && found.symptoms.is_empty() {
            if found.complains {
                self.log.unknown_count += 1;
                if self.log.unknown.len() < UNKNOWN {
                    self.log.unknown.push(line());
                }
            } else if self.plain.len() < UNKNOWN && found.program.is_none() {
                self.plain.push(line());
            }
            self.log.connects_elsewhere |= connects_elsewhere(message.text);
            self.log.is_said_to_hang |= record.stamp.is_none() && says_that_it_hangs(message.text);
            if is_a_stack_frame(message.text) {
                self.has_frames_of_ssh |= names_ssh(message.text);
                self.log.has_stack_frames = !self.has_frames_of_ssh;
            }
            if !found.complains && is_output(message.text) {
                self.current.note_output();
            }
            // Silence between the lines is a gap even where no text tells a step; programs are named by lines of their own.
            if found.program.is_none() && record.stamp.is_none() {
                return;
            }
        }
        if found.event == Some(Event::TurnedAway) {
            let mut alone = Open::of(peer(&found));
            alone.note(number, record, found, self.lexicon.symptoms(), &line);
            self.close(alone);
            return;
        }
        if let Some(pid) = record.pid.filter(|_| self.is_of_a_server(record)) {
            self.serve(pid, number, message, record, found, &line);
            return;
        }
        let peer = self.named_peer(&found);
        if self.current.is_over_before(&found)
            || self.current.is_another(peer.as_ref())
            || peer.is_some() && self.current.is_logged_in_before(&found)
            || self.current.is_of_a_server() && is_a_clients(message.text)
            || self.current.is_a_librarys_before(&found)
            || self.current.is_before_a_servers(record, &found)
        {
            let over = std::mem::take(&mut self.current);
            self.close(over);
        }
        self.current.peer = self.current.peer.take().or(peer);
        self.current.note(number, record, found, self.lexicon.symptoms(), &line);
    }

    /// Takes a message of a server's process.
    fn serve(
        &mut self,
        pid: u32,
        number: u64,
        message: &Message<'_>,
        record: &Record<'_>,
        found: Found,
        line: &dyn Fn() -> Line,
    ) {
        let begins = found.event == Some(Event::Accepted);
        let child = found.values.get("pid").filter(|_| found.event == Some(Event::ChildStarted));
        let child = child.and_then(|pid| pid.parse().ok());
        let mut over = Vec::new();
        if is_a_sessions_last_word(message.text) {
            self.served.adopt(pid);
        }
        let open = self.served.of(pid, peer(&found), begins, child, &mut over);
        open.note(number, record, found, self.lexicon.symptoms(), line);
        for open in over {
            self.close(open);
        }
    }

    /// The client that a line of a server's log names beside a user: such a log may have no process ids, as `journalctl -o cat` has none.
    fn named_peer(&self, found: &Found) -> Option<Peer> {
        let is_of_a_server = self.log.programs.first().is_some_and(Program::is_server);
        // The port that ssh names is the server's.
        let is_a_clients = |(_, port): &Peer| port.parse().is_ok_and(|port: u16| port >= EPHEMERAL);
        peer(found).filter(|peer| is_of_a_server && (found.values.contains_key("user") || is_a_clients(peer)))
    }

    /// The server that writes a message: syslog names it, or the log is known to be its own.
    fn server(&self, record: &Record<'_>, message: &Message<'_>, found: &Found) -> Option<String> {
        if let Some(ident) = record.ident.as_deref() {
            let name = match ident {
                "dropbear" => ident,
                _ if programs::is_mod_sftp(ident) => "ProFTPD",
                _ => "sshd",
            };
            return programs::is_server(ident).then(|| name.to_owned());
        }
        let known = self.log.programs.first().filter(|program| programs::is_server(&program.name))?;
        // Both ends print the same lines with debug1 before them.
        let is_alike =
            found.program.as_ref().is_some_and(|program| program.name == "OpenSSH") && !is_a_clients(message.text);
        (is_alike || record.pid.is_some()).then(|| known.name.clone())
    }

    /// True for a message of a server's process, which syslog names; what it prints itself has its process id alone.
    fn is_of_a_server(&self, record: &Record<'_>) -> bool {
        record.ident.as_deref().map_or_else(
            || self.log.programs.iter().all(|program| programs::is_server(&program.name)),
            programs::is_server,
        )
    }

    fn know(&mut self, program: &Program) {
        let is_sure = program.is_server() && !self.current.began_serving();
        self.log.programs.retain(|known| !(is_sure && is_either_end(known)));
        match self.log.programs.iter_mut().find(|known| known.name == program.name) {
            Some(known) if known.version.is_none() => known.version.clone_from(&program.version),
            Some(_) => (),
            None => self.log.programs.push(program.clone()),
        }
    }

    /// Counts a connection with those that went like it.
    fn close(&mut self, mut open: Open) {
        open.symptoms.sort_unstable();
        if open.connection.entries.is_empty() && open.symptoms.is_empty() && open.connection.gaps.is_empty() {
            return;
        }
        let name = open.connection.program.as_ref().map(|program| program.name.clone());
        let signature = (name, open.symptoms, open.passed, open.ended);
        let peer = open.peer.map(|(address, _)| address);
        if let Some(at) = self.index.get(&signature) {
            let way = &mut self.ways[*at].1;
            way.count += 1;
            way.last = open.connection.last.or(way.last.take());
            if let Some(address) = peer {
                count(&mut way.peers, address);
            }
            return;
        }
        if self.ways.len() == WAYS {
            self.log.uncounted += 1;
            return;
        }
        let peers = peer.map(|peer| (peer, 1)).into_iter().collect();
        let mut connection = Connection { count: 1, peers, ..open.connection };
        connection.gaps.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        self.index.insert(signature.clone(), self.ways.len());
        self.ways.push((signature, connection));
    }

    /// Returns the collected log, of so many lines.
    pub(super) fn log(mut self, lines: u64) -> Log {
        let mut open: Vec<_> = std::mem::take(&mut self.served).rest().collect();
        open.push(std::mem::take(&mut self.current));
        open.sort_by_key(|open| first_line(&open.connection));
        for open in open {
            self.close(open);
        }
        let mut connections: Vec<_> = self.ways.into_iter().map(|(_, connection)| connection).collect();
        for connection in &mut connections {
            connection.peers.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            connection.peers.truncate(PEERS);
        }
        connections.sort_by_key(first_line);
        let mut log = Log { lines, connections, ..self.log };
        // A line or two are what somebody asks about, whatever their words.
        if log.is_brief() && log.connections.is_empty() && log.programs.is_empty() {
            log.unknown.append(&mut self.plain);
            log.unknown.sort_by_key(|line| line.number);
        }
        log
    }
}

/// The line of the first thing that is known of a connection.
fn first_line(connection: &Connection) -> u64 {
    let entry = connection.entries.first().map(|entry| entry.line);
    let seen = connection.sightings.first().map(|seen| seen.line.number);
    entry.into_iter().chain(seen).min().unwrap_or(u64::MAX)
}

/// Counts an address; of very many those that come late are not.
fn count(peers: &mut Vec<(String, u64)>, address: String) {
    if let Some((_, count)) = peers.iter_mut().find(|(known, _)| *known == address) {
        *count += 1;
    } else if peers.len() < PEERS_COUNTED {
        peers.push((address, 1));
    }
}

/// The text of a message that is kept.
fn kept(message: &Message<'_>) -> String {
    let masked = message.masked();
    let text = String::from_utf8_lossy(&masked[..masked.len().min(TEXT)]).trim().to_owned();
    if masked.len() > TEXT { text + "..." } else { text }
}
