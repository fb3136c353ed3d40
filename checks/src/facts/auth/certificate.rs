//! A user certificate as a fact, and the objections to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The way the objection to a login name begins.
const NOT_FOR: &str = "it is not for the login name ";

/// A user certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The authority's name for it, escaped.
    pub key_id: String,
    /// The names that it is for; none means none on OpenSSH servers.
    pub principals: Vec<String>,
    /// The end of its validity; `None` is for ever.
    pub valid_until: Option<Timestamp>,
    /// The fingerprint of the key that signed it.
    pub authority: String,
    /// The clients that it is for, as its critical option `source-address` lists them, escaped; `None` where it is for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<String>,
    /// The objection to it by our clock and the login name.
    pub objection: Option<Objection>,
}

/// An objection to a certificate, recorded in its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Objection {
    /// Our clock is before its first moment.
    NotYetValid,
    /// Our clock is past its last moment.
    Expired,
    /// This login name is none of its principals; a server may map others to it.
    NotFor(String),
}

impl Objection {
    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::NotYetValid => "it is not valid yet".into(),
            Self::Expired => "it has expired".into(),
            Self::NotFor(user) => format!("{NOT_FOR}{user}"),
        }
    }
}

impl From<Objection> for String {
    fn from(objection: Objection) -> Self {
        objection.words()
    }
}

impl TryFrom<String> for Objection {
    type Error = String;

    fn try_from(words: String) -> Result<Self, Self::Error> {
        let plain = [Self::NotYetValid, Self::Expired].into_iter().find(|objection| objection.words() == words);
        plain
            .or_else(|| words.strip_prefix(NOT_FOR).map(|user| Self::NotFor(user.to_owned())))
            .ok_or_else(|| format!("no objection to a certificate: {words}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Objection;

    #[test]
    fn an_objection_is_recorded_in_its_words() {
        for objection in [Objection::NotYetValid, Objection::Expired, Objection::NotFor("me".into())] {
            assert_eq!(Objection::try_from(objection.words()), Ok(objection));
        }
        assert!(Objection::try_from("it is blue".to_owned()).is_err());
    }
}
