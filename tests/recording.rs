//! Evidence written to disk and read again: without names, with the same diagnosis, and refused where it is none.

use std::fs;
use std::path::Path;

use serde_json::Value;
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::record::{Words, load, save};
use ssh_doctor::redact::redacted;
use ssh_doctor_checks::facts::{Check, Evidence};

use crate::support::{changed, errored, failed, healthy, skipped};

fn codes(evidence: &Evidence) -> Vec<&'static str> {
    diagnose(evidence).findings.iter().map(|found| found.code).collect()
}

fn saved(evidence: &Evidence) -> (String, Evidence) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.json");
    save(evidence, &path, Words::Anonymous).unwrap();
    (fs::read_to_string(&path).unwrap(), load(&path).unwrap())
}

#[test]
fn a_recording_of_every_kind_of_step_is_diagnosed_as_the_run_was() {
    for check in Check::ALL {
        let run = healthy();
        for evidence in [failed(&run, check), skipped(&run, check, "no session"), errored(&run, check, "no memory")] {
            let (_, again) = saved(&evidence);
            assert_eq!(codes(&again), codes(&evidence), "{}", check.name());
            assert_eq!(diagnose(&again).verdict, diagnose(&evidence).verdict);
            let steps = |evidence: &Evidence| evidence.checks().map(|view| std::mem::discriminant(&view.step));
            assert_eq!(steps(&again), steps(&evidence));
        }
    }
}

#[test]
fn a_recording_names_nobody() {
    let why = "alice@10.9.8.7 said /home/alice/.ssh/id_rsa is for fd00::7 at db.corp.test, see mail.other.test";
    let (text, again) = saved(&skipped(&healthy(), Check::Exit, why));
    for name in ["alice", "corp", "bastion", "10.9.8.7", "fd00", "other.test", "\"db\""] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    assert_eq!(again.target.host, "host-1.example");
    assert_eq!(again.target.via, ["user-1@host-2.example:22"]);
    let summary = again.checks()[9].summary.clone();
    // Which address of the range it becomes depends on how many came before it.
    let (address, words) = summary.strip_prefix("user-1@").and_then(|rest| rest.split_once(' ')).unwrap();
    assert!(address.starts_with("192.0.2."), "{summary}");
    assert_eq!(words, "said ~/.ssh/id_rsa is for 2001:db8::1 at host-1.example, see host-4.example");
    assert!(text.contains("chacha20-poly1305@openssh.com") && text.contains("SSH-2.0-OpenSSH_9.2p1"), "{text}");
}

#[test]
fn a_user_whose_name_is_no_single_word_is_named_by_no_recording() {
    for user in ["CORP\\alice", "alice:db7", "alice+admin", "alice smith", "alice@corp", "{alice}"] {
        let evidence = changed(&healthy(), |value| value["target"]["user"] = user.into());
        let why = format!("Permission denied for {user}.");
        let (text, again) = saved(&skipped(&evidence, Check::Exit, &why));
        assert!(!text.contains("alice"), "{user} in {text}");
        assert_eq!(again.target.user, "user-1", "{user}");
    }
}

#[test]
fn a_name_that_is_one_of_our_own_words_breaks_no_recording() {
    for word in ["passed", "closed", "ssh", "0"] {
        let evidence = changed(&healthy(), |value| {
            value["target"]["input"] = word.into();
            value["target"]["user"] = word.into();
        });
        let (text, again) = saved(&failed(&evidence, Check::Exit));
        assert_eq!(codes(&again), codes(&failed(&evidence, Check::Exit)), "{word}");
        assert!(!text.contains(&format!("\"user\": \"{word}\"")), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_recording_is_its_owners_and_replaces_the_old_one_whole() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.json");
    fs::write(&path, "old").unwrap();
    save(&healthy(), &path, Words::Anonymous).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(format!("{:#}", save(&healthy(), &link, Words::Anonymous).unwrap_err()).contains("not a plain file"));
    assert!(save(&healthy(), &folder.path().join("none/evidence.json"), Words::Anonymous).is_err());
}

#[test]
fn what_is_no_recording_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let refusal = |text: &str| {
        fs::write(&path, text).unwrap();
        format!("{:#}", load(&path).unwrap_err())
    };
    for (text, sentence) in [
        ("", "not one JSON object"),
        ("{", "not one JSON object"),
        ("[1]", "no evidence_version"),
        ("{\"schema_version\":1,\"verdict\":\"healthy\"}", "is a report, not a recording"),
        ("{\"evidence_version\":2}", "version 2, and this ssh-doctor reads version 1"),
        ("{\"evidence_version\":1}", "damaged recording: missing field"),
        (&"[".repeat(100_000), "not one JSON object"),
        (&" ".repeat((4 << 20) + 1), "larger than any recording"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(sentence) && !refusal.contains('\n'), "{refusal}");
    }
    let missing = format!("{:#}", load(Path::new("/nonexistent/x.json")).unwrap_err());
    assert!(missing.starts_with("cannot read /nonexistent/x.json: No such file"), "{missing}");
}

#[test]
fn a_name_that_a_judge_reads_as_a_word_changes_no_diagnosis() {
    let refused = changed(&failed(&healthy(), Check::Handshake), |value| {
        value["target"]["input"] = "exceeded".into();
        let facts = &mut value["handshake"]["facts"];
        facts["first_bytes"] = "Exceeded MaxStartups\\r\\n".into();
        facts["version"] = Value::Null;
        facts["negotiated"] = Value::Null;
    });
    assert_eq!(codes(&refused), ["handshake-max-startups"]);
    let (_, again) = saved(&refused);
    assert_eq!(codes(&again), codes(&refused));
    assert_ne!(again.target.input, "exceeded");
}
#[test]
fn no_recording_needs_other_people_s_words() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded")).unwrap() {
        let path = entry.unwrap().path();
        let kept = redacted(&load(&path).unwrap()).unwrap().kept;
        assert!(
            kept.iter().all(|what| ["server version", "algorithms"].contains(what)),
            "{}: {kept:?}",
            path.display()
        );
    }
}
