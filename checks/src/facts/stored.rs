//! Evidence as JSON: how a step is stored, and how a recording is read with suspicion.
//!
//! A step is `{"step": "passed", "facts": {...}, "duration_ms": 1.5}`; one that did not run has its reason in place of the facts. The
//! derived form of such an enum would keep every value twice while it reads (and compile all facts for that form once more).

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::check::{Step, Timed};
use super::evidence::{Evidence, VERSION};

/// The largest recording that is read, bytes: some hundred times that of a long run.
const MAX_BYTES: usize = 4 << 20;
/// The most values in it; a record takes a hundred times the memory of the three bytes `{},`.
const MAX_VALUES: usize = 50_000;

/// The reason why a text is not read as evidence.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// More bytes or values than a recording has.
    #[error("is larger than any recording")]
    TooLarge,
    /// Not one JSON object.
    #[error("is not a recording: it is not one JSON object ({0})")]
    NotJson(serde_json::Error),
    /// Of another version of the format.
    #[error("is a recording of version {0}, and this ssh-doctor reads version {VERSION}")]
    Version(u64),
    /// The output of `--format json`.
    #[error("is a report, not a recording: ssh-doctor check --record FILE makes one")]
    Report,
    /// JSON of something else.
    #[error("is not a recording of ssh-doctor: it has no evidence_version")]
    Foreign,
    /// A field is missing, or is something else.
    #[error("is a damaged recording: {0}")]
    Damaged(serde_json::Error),
}

/// The fields that tell what a JSON object is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    evidence_version: Option<serde_json::Number>,
    #[serde(default)]
    schema_version: Option<IgnoredAny>,
}

impl Evidence {
    /// Reads a recording. Its size and its version are looked at before any of it is kept.
    ///
    /// # Errors
    /// Fails if the text is no recording of this version; the message follows the name of the file.
    pub fn from_json(text: &[u8]) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES {
            return Err(Unreadable::TooLarge);
        }
        if !text.trim_ascii_start().starts_with(b"{") {
            serde_json::from_slice::<IgnoredAny>(text).map_err(Unreadable::NotJson)?;
            return Err(Unreadable::Foreign);
        }
        let head: Head = serde_json::from_slice(text).map_err(Unreadable::NotJson)?;
        match head.evidence_version.map(|version| version.as_u64()) {
            Some(Some(version)) if version == u64::from(VERSION) => {}
            Some(Some(version)) => return Err(Unreadable::Version(version)),
            None if head.schema_version.is_some() => return Err(Unreadable::Report),
            Some(None) | None => return Err(Unreadable::Foreign),
        }
        if values(text) > MAX_VALUES {
            return Err(Unreadable::TooLarge);
        }
        serde_json::from_slice(text).map_err(Unreadable::Damaged)
    }
}

/// No fewer values than the JSON text holds: its brackets and commas outside strings.
fn values(text: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' | b',' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

impl<F: Serialize> Serialize for Timed<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Timed", 3)?;
        let (word, stored) = match &self.step {
            Step::Passed(facts) => ("passed", Stored::Facts(facts)),
            Step::Failed(facts) => ("failed", Stored::Facts(facts)),
            Step::Void(facts) => ("void", Stored::Facts(facts)),
            Step::Skipped(why) => ("skipped", Stored::Reason(why)),
            Step::Error(why) => ("error", Stored::Reason(why)),
        };
        fields.serialize_field("step", word)?;
        match stored {
            Stored::Facts(facts) => fields.serialize_field("facts", facts)?,
            Stored::Reason(why) => fields.serialize_field("facts", why)?,
        }
        fields.serialize_field("duration_ms", &self.duration_ms)?;
        fields.end()
    }
}

/// The value under `facts`.
enum Stored<F, S> {
    Facts(F),
    Reason(S),
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Stored<F, String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FactsOrReason<F>(PhantomData<F>);

        impl<'de, F: Deserialize<'de>> Visitor<'de> for FactsOrReason<F> {
            type Value = Stored<F, String>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("facts, or the reason why there are none")
            }

            fn visit_str<E: Error>(self, why: &str) -> Result<Self::Value, E> {
                Ok(Stored::Reason(why.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                F::deserialize(MapAccessDeserializer::new(map)).map(Stored::Facts)
            }
        }

        deserializer.deserialize_any(FactsOrReason(PhantomData))
    }
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Timed<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields<F> {
            step: Word,
            facts: F,
            duration_ms: f64,
        }

        let Fields { step, facts, duration_ms } = Fields::<Stored<F, String>>::deserialize(deserializer)?;
        let step = match (step, facts) {
            (Word::Passed, Stored::Facts(facts)) => Step::Passed(facts),
            (Word::Failed, Stored::Facts(facts)) => Step::Failed(facts),
            (Word::Void, Stored::Facts(facts)) => Step::Void(facts),
            (Word::Skipped, Stored::Reason(why)) => Step::Skipped(why),
            (Word::Error, Stored::Reason(why)) => Step::Error(why),
            (_, Stored::Facts(_)) => return Err(D::Error::custom("facts of a step that did not run")),
            (_, Stored::Reason(_)) => return Err(D::Error::custom("a step that ran and has no facts")),
        };
        Ok(Self { step, duration_ms })
    }
}

/// The value under `step`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Passed,
    Failed,
    Void,
    Skipped,
    Error,
}

#[cfg(test)]
mod tests {
    use super::{Evidence, MAX_VALUES, Step, Timed, Unreadable, values};
    use crate::facts::exit;

    fn read(text: &str) -> Result<Timed<exit::Facts>, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_step_is_read_as_it_was_written_whatever_the_order_of_its_fields() {
        let facts = || exit::Facts::default();
        let steps = [
            Step::Passed(facts()),
            Step::Failed(facts()),
            Step::Void(facts()),
            Step::Skipped("why".into()),
            Step::Error("why".into()),
        ];
        for step in steps {
            let kind = std::mem::discriminant(&step);
            let text = serde_json::to_string(&Timed { step, duration_ms: 1.5 }).unwrap();
            assert!(text.starts_with("{\"step\":\"") && text.ends_with(",\"duration_ms\":1.5}"), "{text}");
            let again = read(&text).unwrap();
            assert_eq!((std::mem::discriminant(&again.step), again.duration_ms), (kind, 1.5), "{text}");
            let sorted = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
            assert_eq!(std::mem::discriminant(&read(&sorted).unwrap().step), kind, "{sorted}");
        }
    }

    #[test]
    fn a_step_without_what_it_must_have_is_refused() {
        for text in [
            r#"{"step":"passed","facts":"why","duration_ms":1}"#,
            r#"{"step":"skipped","facts":{},"duration_ms":1}"#,
            r#"{"step":"gone","facts":{},"duration_ms":1}"#,
            r#"{"step":"passed","facts":[],"duration_ms":1}"#,
            r#"{"step":"passed","duration_ms":1}"#,
            r#"{"step":"passed","facts":{}}"#,
            r#"{"facts":{},"duration_ms":1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_version_and_the_size_are_looked_at_before_anything_else() {
        let refused = |text: &str| Evidence::from_json(text.as_bytes()).unwrap_err();
        assert!(matches!(refused(r#"{"arms":[{},{}],"evidence_version":9}"#), Unreadable::Version(9)));
        assert!(matches!(refused(r#"{"schema_version":1}"#), Unreadable::Report));
        assert!(matches!(refused(r#"{"evidence_version":1}"#), Unreadable::Damaged(_)));
        for text in [r#"{"evidence_version":1.5}"#, "{}", "7", "[1]"] {
            assert!(matches!(refused(text), Unreadable::Foreign), "{text}");
        }
        for text in ["", "{\"a\":", &"[".repeat(1000), "{} {}"] {
            assert!(matches!(refused(text), Unreadable::NotJson(_)), "{text}");
        }
        let many = format!(r#"{{"evidence_version":1,"hops":[{}0]}}"#, "0,".repeat(MAX_VALUES));
        assert!(matches!(refused(&many), Unreadable::TooLarge));
        assert!(matches!(refused(&" ".repeat(5 << 20)), Unreadable::TooLarge));
    }

    #[test]
    fn values_are_counted_outside_strings() {
        assert_eq!(values(br#"{"a,[": "\",{", "b": [1, 2, {}]}"#), 6);
    }
}
