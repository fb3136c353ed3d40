//! The hops between us and the server, where one of them was looked for.

use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::idle::{Facts, Search};
use ssh_doctor_checks::facts::path::{Hop, Path, Place, Protocol};

use super::Style;
use super::style::Ink;

/// The hops with their round-trip times, and which of them drops idle connections; `None` where no timer gave a reason to look for one.
pub(super) fn section(evidence: &Evidence, style: Style) -> Option<String> {
    let facts = evidence.idle.facts()?;
    let path = facts.path.as_ref().filter(|path| facts.search() != Search::None && !path.hops.is_empty())?;
    let widest = path.hops.iter().map(|hop| address(hop).len()).max().unwrap_or_default();
    let mut lines = vec![style.paint(Ink::Strong, "Hops to the server")];
    lines.extend(path.hops.iter().map(|hop| {
        let rtt = hop.rtt_ms.map(|rtt| format!("{rtt:.1} ms")).unwrap_or_default();
        let start = format!("  {:>2}  {:widest$}  {rtt:>9}", hop.number, address(hop));
        let said = remarks(hop, path, facts);
        if said.is_empty() {
            return start.trim_end().to_owned();
        }
        style.wrapped(&format!("{start}  "), &" ".repeat(start.len() + 2), &said)
    }));
    lines.extend(ending(path).map(|line| style.wrapped("  ", "  ", line)));
    Some(lines.join("\n"))
}

fn address(hop: &Hop) -> String {
    hop.address.map_or_else(|| "no answer".to_owned(), |address| address.to_string())
}

/// The device, whether it drops idle connections, and other addresses that answered for it.
fn remarks(hop: &Hop, path: &Path, facts: &Facts) -> String {
    let place = match Place::of(hop.number, path.distance.map(|distance| distance.hops)) {
        Place::Gateway => Some("your router".to_owned()),
        Place::BeforeServer => Some("the last before the server".to_owned()),
        Place::Server => Some("the server".to_owned()),
        Place::Middle | Place::Unknown => None,
    };
    let accused = match facts.search() {
        Search::Found(verdict) if verdict.hops().contains(&hop.number) => Some(
            if verdict.hops().count() == 1 && verdict.doubt.is_none() {
                "drops idle connections"
            } else {
                "may drop idle connections"
            }
            .to_owned(),
        ),
        _ => None,
    };
    let others = hop.others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let others = (!others.is_empty()).then(|| format!("also {others}: several routes"));
    [accused, place, others].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Describes the end of the path that the list does not show.
fn ending(path: &Path) -> Option<&'static str> {
    match path.distance {
        None => Some("The distance to the server is not known: no answer came from behind the last hop."),
        Some(distance) if distance.by == Protocol::Tcp => {
            Some("The server's distance was counted by TCP: it, or a filter before it, answers no UDP.")
        }
        Some(_) => None,
    }
}
