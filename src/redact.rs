//! A recording without names: hosts, users, addresses, home folders, key files and the comments of keys are replaced, each always by the
//! same stand-in.
//!
//! Values that judges compare stay comparable. In texts of others, the words that causes look for stay, and the rest is
//! masked; anything else that a diagnosis needs is kept, and named.

mod homes;
mod keys;
mod names;
mod words;

use anyhow::Context;
use serde_json::Value;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::certainty::Certainty;

use crate::diagnose::diagnose;
use keys::Keys;
use names::{Names, Reach};
use words::Keeping;

/// Evidence without names, and the foreign text still in it.
#[derive(Debug)]
pub struct Redacted {
    /// The evidence.
    pub evidence: Evidence,
    /// The kinds of data that were kept, as a person calls them.
    pub kept: Vec<&'static str>,
}

/// The evidence with names and addresses replaced, and with as little free text as its diagnosis needs.
pub fn redacted(evidence: &Evidence) -> anyhow::Result<Redacted> {
    let named = without_names(evidence)?;
    let (value, outcome) = (serde_json::to_value(&named)?, outcome(&named));
    let with = |keeping: &Keeping| {
        let mut value = value.clone();
        keeping.mask(&mut value);
        Evidence::from_json(&serde_json::to_vec(&value)?).map_err(anyhow::Error::from)
    };
    let keeping = Keeping::least(|keeping| with(keeping).is_ok_and(|safe| self::outcome(&safe) == outcome));
    let has_version = evidence.handshake.facts().is_some_and(|facts| facts.version.is_some());
    let kept = has_version.then_some(["server version", "algorithms"]).into_iter().flatten();
    Ok(Redacted { evidence: with(&keeping)?, kept: kept.chain(keeping.whole()).collect() })
}

/// Returns the causes in their order, and the certainty of each: redaction must not change them.
fn outcome(evidence: &Evidence) -> Vec<(&'static str, Certainty)> {
    diagnose(evidence).findings.iter().map(|found| (found.code, found.certainty)).collect()
}

fn without_names(evidence: &Evidence) -> anyhow::Result<Evidence> {
    let thorough = replace(evidence, Reach::Everywhere);
    // A name that is also a word of ours (a host called `reset`, a user called `closed`) must not change what that word says;
    // outside the target it stays, where it names nobody.
    match thorough {
        Ok(thorough) if codes(&thorough) == codes(evidence) => Ok(thorough),
        _ => replace(evidence, Reach::NotWords).context("the evidence cannot be told without its names"),
    }
}

fn codes(evidence: &Evidence) -> Vec<&'static str> {
    diagnose(evidence).findings.iter().map(|found| found.code).collect()
}

fn replace(evidence: &Evidence, reach: Reach) -> anyhow::Result<Evidence> {
    let mut value = serde_json::to_value(evidence)?;
    let mut names = Names::of(&evidence.target);
    evidence.hops.iter().for_each(|hop| names.know(&hop.evidence.target));
    names.keys = Keys::of(evidence);
    let own = std::iter::once("/target".to_owned());
    let of_hops = (0..evidence.hops.len())
        .flat_map(|at| ["name", "evidence/target", "forward/host"].map(|place| format!("/hops/{at}/{place}")));
    for place in own.chain(of_hops) {
        if let Some(target) = value.pointer_mut(&place) {
            walk(target, &mut names, Reach::Everywhere);
        }
    }
    for (_, field) in value.as_object_mut().into_iter().flatten().filter(|(key, _)| *key != "target") {
        walk(field, &mut names, reach);
    }
    // By way of a text: the facts need no second form to be read from.
    Ok(Evidence::from_json(&serde_json::to_vec(&value)?)?)
}

fn walk(value: &mut Value, names: &mut Names, reach: Reach) {
    match value {
        Value::String(text) => *text = names.replaced(text, reach),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, names, reach)),
        Value::Object(fields) => {
            if fields.contains_key("fingerprint")
                && let Some(Value::String(comment)) = fields.get_mut("comment")
            {
                *comment = names.keys.comment(comment);
            }
            let renamed = std::mem::take(fields).into_iter().map(|(key, mut field)| {
                walk(&mut field, names, reach);
                // A key is a field's name, or an address or a host: never a word to replace.
                (names.replaced(&key, Reach::NotWords), field)
            });
            *fields = renamed.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
