//! Values that a recording masks: two of one shape are neither known to differ nor known to be equal.

use serde::Serialize;
use serde_json::Value;
use ssh_doctor_checks::facts::Check;

/// Values that cannot be compared, since a recording masks them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Masked {
    /// The check that they belong to.
    pub check: Check,
    /// The aspect that they are part of.
    pub what: &'static str,
    /// The values as the recordings have them.
    pub values: Vec<String>,
}

/// Takes out of both what cannot be compared, and returns it.
pub(super) fn set_aside(a: &mut Value, b: &mut Value) -> Vec<String> {
    let known = |one: &Value, other: &Value| {
        let masked = [one, other].into_iter().find(|value| is_masked(value));
        masked.and_then(Value::as_str).map(ToOwned::to_owned)
    };
    if a.is_string() && b.is_string() && cannot_be_compared(a, b) {
        let value = known(a, b);
        (*a, *b) = (Value::Null, Value::Null);
        return value.into_iter().collect();
    }
    let mut values = Vec::new();
    if let (Value::Array(a), Value::Array(b)) = (a, b) {
        a.retain(|one| {
            let at = b.iter().position(|other| cannot_be_compared(one, other));
            if let Some(at) = at {
                values.extend(known(one, &b.remove(at)));
            }
            at.is_none()
        });
    }
    values
}

/// True if one may stand for the other, as far as the mask tells.
fn cannot_be_compared(one: &Value, other: &Value) -> bool {
    (is_masked(one) || is_masked(other)) && shape(one) == shape(other)
}

/// True if a word of a text is masked: it has nothing but `x` for its letters and `0` for its digits.
fn is_masked(value: &Value) -> bool {
    let words = value.as_str().unwrap_or_default().split(|character: char| !character.is_alphanumeric());
    let is_masked = |word: &str| {
        let has_none_but = |masks: &str| word.chars().all(|character| masks.contains(character));
        has_none_but("x0") && (word.contains('x') || word.len() > 1)
    };
    words.into_iter().any(|word| !word.is_empty() && is_masked(word))
}

/// A text with every word masked.
fn shape(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars()
        .map(|character| match character {
            '0'..='9' => '0',
            character if character.is_alphabetic() => 'x',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::set_aside;

    #[test]
    fn masked_values_of_one_shape_are_set_aside_and_all_others_stay() {
        let mut a = json!(["identityfile ~/.ssh/xxxx", "ciphers aes128-ctr", "proxycommand xx -x 00"]);
        let mut b = json!(["identityfile ~/.ssh/xxxx", "ciphers aes192-ctr", "proxycommand xxxxxx"]);
        assert_eq!(set_aside(&mut a, &mut b), ["identityfile ~/.ssh/xxxx"]);
        assert_eq!(a, json!(["ciphers aes128-ctr", "proxycommand xx -x 00"]));
        assert_eq!(b, json!(["ciphers aes192-ctr", "proxycommand xxxxxx"]));
    }

    #[test]
    fn a_masked_value_and_a_plain_one_of_its_shape_are_neither_equal_nor_different() {
        let (mut a, mut b) = (json!("~/.ssh/cm-xxxx"), json!("~/.ssh/cm-work"));
        assert_eq!(set_aside(&mut a, &mut b), ["~/.ssh/cm-xxxx"]);
        assert!(a.is_null() && b.is_null());
        let (mut a, mut b) = (json!("diffie-hellman-group14-sha1"), json!("diffie-hellman-group14-sha2"));
        assert!(set_aside(&mut a, &mut b).is_empty() && a != b);
    }
}
