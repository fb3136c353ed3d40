//! A connection that more lines may follow.

use super::lexicon::Found;
use super::record::Record;
use super::stamp::{Kind, Stamp};
use crate::facts::Check;
use crate::facts::log::{Connection, Entry, Event, Gap, Line, Part, Program, Sighting};

/// The entries that are kept of the beginning of a connection, and of its end.
const FIRST: usize = 120;
const LAST: usize = 60;
/// Lines that are kept of a connection in a server's log, of which there are many at once.
const FIRST_OF_MANY: usize = 24;
const LAST_OF_MANY: usize = 8;
/// The lines that are kept with one text of the catalogue, and with any.
const OF_ONE_TEXT: usize = 3;
const SIGHTINGS: usize = 48;
/// The waits that are kept, and the shortest one, in seconds.
const GAPS: usize = 5;
const GAP_S: f64 = 0.5;
/// Libraries that open connections of their own, and run no ssh.
const LIBRARIES: [&str; 10] = [
    "paramiko",
    "AsyncSSH",
    "JSch",
    "Apache MINA SSHD",
    "Trilead SSH2",
    "sshj",
    "SSH.NET",
    "phpseclib",
    "node ssh2",
    "Net::SSH",
];
const DAY_S: f64 = 86_400.0;

/// The address and port of a server's client.
pub(super) type Peer = (String, String);

/// A connection, and the evidence of its course.
#[derive(Default)]
pub(super) struct Open {
    pub(super) connection: Connection,
    /// The other end, in a server's log.
    pub(super) peer: Option<Peer>,
    /// The texts of the catalogue that were seen, each once.
    pub(super) symptoms: Vec<usize>,
    /// The last check that passed.
    pub(super) passed: Option<Check>,
    /// The last event that ended it.
    pub(super) ended: Option<Event>,
    /// True if it is one of many in a server's log.
    is_one_of_many: bool,
    /// True if the last line was plain output.
    follows_output: bool,
    began: Option<Stamp>,
    last: Option<Stamp>,
    last_event: Option<Event>,
}

impl Open {
    /// One of many connections in a server's log.
    pub(super) fn one_of_many() -> Self {
        Self { is_one_of_many: true, ..Self::default() }
    }

    /// A connection that one line tells of.
    pub(super) fn of(peer: Option<Peer>) -> Self {
        Self { peer, ..Self::default() }
    }

    /// Takes a message that belongs to it.
    pub(super) fn note(
        &mut self,
        number: u64,
        record: &Record<'_>,
        found: Found,
        symptoms: &[&'static str],
        line: &dyn Fn() -> Line,
    ) {
        let waited_s = self.waited(record, found.event, line);
        if let Some(program) = found.program {
            match &mut self.connection.program {
                Some(known) if known.name == program.name && known.version.is_none() => known.version = program.version,
                // Both ends print lines of debugging.
                Some(known) if is_either_end(known) && program.is_server() && self.connection.entries.is_empty() => {
                    *known = program;
                }
                Some(_) => (),
                None => self.connection.program = Some(program),
            }
        }
        for symptom in &found.symptoms {
            self.see(*symptom, symptoms[*symptom], waited_s, line);
        }
        self.follows_output &= found.event.is_none() && found.symptoms.is_empty();
        let Some(event) = found.event else { return };
        self.last_event = Some(event);
        match event.place() {
            Some((check, Part::Passes)) => self.passed = self.passed.max(Some(check)),
            // A login stands on a trusted host key, and a session on a login.
            _ if event == Event::LineBeforeVersion => self.passed = self.passed.max(Some(Check::Tcp)),
            Some((Check::Handshake | Check::Hostkey, Part::Step)) => self.passed = self.passed.max(Some(Check::Tcp)),
            Some((Check::Auth, Part::Step)) => self.passed = self.passed.max(Some(Check::Hostkey)),
            Some((Check::Channel, Part::Step)) => self.passed = self.passed.max(Some(Check::Auth)),
            Some((_, Part::Ends | Part::Fails)) => self.ended = Some(event),
            _ if event == Event::ExitStatus => self.ended = Some(event),
            _ if event == Event::Transferred => self.passed = self.passed.max(Some(Check::Channel)),
            _ => (),
        }
        let at_s = self.last.zip(self.began).map(|(last, began)| elapsed(began, last));
        self.keep(Entry { line: number, at_s, event, values: found.values });
    }

    /// True if a session has begun, and a prompt of this host is the first sign that the server runs something in it.
    pub(super) fn awaits_a_shell_of(&self, host: Option<&[u8]>) -> bool {
        let name = |host: &str| host.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let names = |host: &str| {
            let mut known = self.connection.entries.iter().filter_map(|entry| entry.value("host"));
            known.any(|known| name(known) == name(host) && !known.starts_with(|c: char| c.is_ascii_digit()))
        };
        self.last_event == Some(Event::SessionBegun)
            && host.and_then(|host| std::str::from_utf8(host).ok()).is_some_and(names)
    }

    /// Takes a line in which nothing is known.
    pub(super) fn note_output(&mut self) {
        self.follows_output = true;
    }

    /// The seconds since the line before, kept as a gap where they are many.
    fn waited(&mut self, record: &Record<'_>, event: Option<Event>, line: &dyn Fn() -> Line) -> Option<f64> {
        let (stamp, text) = record.stamp.as_ref()?;
        span(&mut self.connection.first, &mut self.connection.last, text);
        if self.began.is_none_or(|began| began.kind != stamp.kind) {
            self.began = Some(*stamp);
        }
        let before = self.last.replace(*stamp).filter(|before| before.kind == stamp.kind)?;
        let seconds = elapsed(before, *stamp);
        let gaps = &mut self.connection.gaps;
        let shortest = gaps.iter().enumerate().min_by(|a, b| a.1.seconds.total_cmp(&b.1.seconds));
        let shortest = shortest.filter(|_| gaps.len() == GAPS).map(|(at, gap)| (at, gap.seconds));
        if seconds >= GAP_S && shortest.is_none_or(|(_, shortest)| seconds > shortest) {
            if let Some((at, _)) = shortest {
                gaps.remove(at);
            }
            gaps.push(Gap { seconds, line: line(), after: self.last_event, before: event });
        }
        Some(seconds)
    }

    fn see(&mut self, symptom: usize, text: &str, waited_s: Option<f64>, line: &dyn Fn() -> Line) {
        if !self.symptoms.contains(&symptom) {
            self.symptoms.push(symptom);
        }
        let seen = &mut self.connection.sightings;
        let alike: Vec<_> =
            seen.iter().enumerate().filter(|(_, seen)| seen.symptom == text).map(|(at, _)| at).collect();
        // Of many alike the first ones and the last one.
        if alike.len() == OF_ONE_TEXT {
            seen.remove(alike[OF_ONE_TEXT - 1]);
        }
        if seen.len() < SIGHTINGS {
            let follows_output = self.follows_output;
            seen.push(Sighting {
                symptom: text.to_owned(),
                line: line(),
                after: self.passed,
                waited_s,
                follows_output,
            });
        }
    }

    fn keep(&mut self, entry: Entry) {
        // Of a step that goes on and on, the first line and the last.
        let same = |known: &Entry| known.event == entry.event && known.values == entry.values;
        if let [.., before, last] = self.connection.entries.as_mut_slice()
            && same(before)
            && same(last)
        {
            *last = entry;
            self.connection.omitted += 1;
            return;
        }
        let (first, last) = if self.is_one_of_many { (FIRST_OF_MANY, LAST_OF_MANY) } else { (FIRST, LAST) };
        if self.connection.entries.len() == first + last {
            self.connection.entries.remove(first);
            self.connection.omitted += 1;
        }
        self.connection.entries.push(entry);
    }

    /// True if a message with this in it begins another connection of a client.
    pub(super) fn is_over_before(&self, found: &Found) -> bool {
        let entries = &self.connection.entries;
        if found.event.is_none() {
            // The first line of ssh names its version; that of a jump host's ssh comes in the middle.
            let first =
                found.program.as_ref().is_some_and(|program| program.name == "OpenSSH" && program.version.is_some());
            let has = |event| entries.iter().any(|entry| entry.event == event);
            return first && !entries.is_empty() && (!has(Event::ProxyStarted) || has(Event::VersionReceived));
        }
        let again = |event| entries.iter().rev().find(|entry| entry.event == event);
        match found.event {
            // Once a session was asked for, no login is refused on that connection; a jump host's has two logins.
            Some(Event::HostKeyUnknown | Event::LoginFailed) if again(Event::RequestRefused).is_some() => {
                again(Event::ProxyStarted).is_none()
            }
            _ if self.ended.is_none() => false,
            Some(Event::ConfigRead | Event::Resolving | Event::Connecting | Event::ProxyStarted | Event::Accepted) => {
                true
            }
            Some(event @ (Event::NotConnected | Event::ResolveFailed)) => {
                // What wraps ssh repeats what ssh said.
                again(event).is_some_and(|entry| entry.values != found.values)
            }
            _ => false,
        }
    }

    /// True if a text of the catalogue was seen in it.
    pub(super) fn has_complaints(&self) -> bool {
        !self.symptoms.is_empty()
    }

    /// True if somebody is logged in on it.
    pub(super) fn has_a_session(&self) -> bool {
        self.passed >= Some(Check::Auth) && self.ended.is_none()
    }

    /// True if a server wrote it.
    pub(super) fn is_of_a_server(&self) -> bool {
        self.connection.program.as_ref().is_some_and(Program::is_server)
    }

    /// True if ssh's debugging begins below what a library of its own complained of: somebody tried by hand what the program could not do.
    pub(super) fn is_a_librarys_before(&self, found: &Found) -> bool {
        let is_a_library = |program: &Program| LIBRARIES.contains(&program.name.as_str());
        let is_of_ssh = found.program.as_ref().is_some_and(|program| program.name == "OpenSSH");
        is_of_ssh && self.has_complaints() && self.connection.program.as_ref().is_some_and(is_a_library)
    }

    /// True if a message is the first one of a server's log that is pasted below what a client said.
    pub(super) fn is_before_a_servers(&self, record: &Record<'_>, found: &Found) -> bool {
        let is_of_a_server = found.program.as_ref().is_some_and(Program::is_server);
        let is_of_a_client = !self.is_of_a_server() && !self.connection.program.as_ref().is_some_and(is_either_end);
        is_of_a_server && record.ident.is_none() && is_of_a_client && !self.connection.sightings.is_empty()
    }

    /// True if a server's line about this peer is about another connection.
    pub(super) fn is_another(&self, peer: Option<&Peer>) -> bool {
        let differ =
            |own: &Peer, other: &Peer| own.0 != other.0 || own.1 != other.1 && !own.1.is_empty() && !other.1.is_empty();
        self.peer.as_ref().zip(peer).is_some_and(|(own, other)| differ(own, other))
    }

    /// True for a login that is refused after one that was let in: the same client came again.
    pub(super) fn is_logged_in_before(&self, found: &Found) -> bool {
        found.event == Some(Event::LoginRefused)
            && self.connection.entries.iter().any(|entry| entry.event == Event::LoggedIn)
    }

    /// True if the line before it was that of an accepted connection, or a later one.
    pub(super) fn began_serving(&self) -> bool {
        !self.connection.entries.is_empty()
    }
}

/// True if a line of debugging alone names a program.
pub(super) fn is_either_end(program: &Program) -> bool {
    program.name == "OpenSSH" && program.version.is_none()
}

/// The client of a server's line.
pub(super) fn peer(found: &Found) -> Option<Peer> {
    let value = |name: &str| found.values.get(name).cloned();
    if let Some((address, port)) =
        value("address:port").as_deref().and_then(|text| text.trim_matches(['<', '>']).rsplit_once(':'))
    {
        return Some((address.to_owned(), port.trim_end_matches('>').to_owned()));
    }
    if matches!(found.event, Some(Event::ServerStarted)) {
        return None;
    }
    Some((value("address")?, value("port").unwrap_or_default()))
}

/// Widens a span of times, each as the log has it, to the next one.
pub(super) fn span(first: &mut Option<String>, last: &mut Option<String>, next: &str) {
    first.get_or_insert_with(|| next.to_owned());
    next.clone_into(last.get_or_insert_default());
}

/// Seconds from one stamp to a later one of the same kind; none are negative.
fn elapsed(from: Stamp, to: Stamp) -> f64 {
    let seconds = to.seconds - from.seconds;
    let seconds = match to.kind {
        Kind::Day if seconds < -DAY_S / 2.0 => seconds + DAY_S,
        // A stamp without a year, and the turn of one: it is counted in the leap year 2000.
        Kind::Date if seconds < -300.0 * DAY_S => seconds + 366.0 * DAY_S,
        _ => seconds,
    };
    seconds.max(0.0)
}
