//! The built doctor at sshd with user certificates: which are blamed for a refusal, and how surely.

use std::time::Duration;

use crate::lab::Lab;
use crate::logins::{assert_diagnosed, identity, login};

#[test]
fn certificates_that_do_not_hold_are_told_from_one_that_does() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("authority", &["-t", "ed25519"]);
    for (name, principal, validity, codes) in [
        ("sound", "root", "-1d:+1d", &[][..]),
        ("expired", "root", "-2d:-1d", &["auth-cert-invalid"]),
        ("of_another", "somebody", "-1d:+1d", &["auth-key-rejected", "auth-cert-principal"]),
    ] {
        certify(&lab, name, principal, validity);
        let server = lab.sshd(&[&trusted_authority(&lab), "AuthorizedKeysFile none"]);
        assert_diagnosed(&login(&lab, &server, &["-i", &identity(&lab, name)]), &server, codes);
    }
}

#[test]
fn a_certificate_for_a_role_is_not_blamed_where_roles_are_mapped() {
    let Some(lab) = Lab::healthy() else { return };
    for name in ["authority", "other"] {
        lab.home().keygen(name, &["-t", "ed25519"]);
    }
    certify(&lab, "operator", "operators", "-1d:+1d");
    lab.home().write("principals", "operators\n");
    let roles = format!("AuthorizedPrincipalsFile {}", lab.home().path("principals").display());
    let options = ["-i", &identity(&lab, "operator")];
    let server = lab.sshd(&[&trusted_authority(&lab), &roles, "AuthorizedKeysFile none"]);
    assert_diagnosed(&login(&lab, &server, &options), &server, &[]);
    let other = format!("TrustedUserCAKeys {}", lab.home().key("other.pub").display());
    let server = lab.sshd(&[&other, &roles, "AuthorizedKeysFile none"]);
    let seen = login(&lab, &server, &options);
    assert_diagnosed(&seen, &server, &["auth-key-rejected", "auth-cert-principal"]);
    let suspected = &seen.json["diagnoses"][1];
    assert_eq!(suspected["certainty"], "possible", "{}", seen.told());
    let first = suspected["fixes"][0]["snippet"].as_str();
    assert!(first.is_some_and(|snippet| snippet.contains("journalctl")), "{}", seen.told());
}

#[test]
fn a_certificate_for_other_clients_says_so() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("authority", &["-t", "ed25519"]);
    let server = lab.sshd(&[&trusted_authority(&lab), "AuthorizedKeysFile none"]);
    let said = "it is for clients at 198.51.100.0/24 alone";
    certify_with(&lab, "elsewhere", "root", "-1d:+1d", &["-O", "source-address=198.51.100.0/24"]);
    let seen = login(&lab, &server, &["-i", &identity(&lab, "elsewhere")]);
    assert_diagnosed(&seen, &server, &["auth-key-rejected"]);
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains(said), "{}", seen.told());
    let server = lab.sshd(&[&trusted_authority(&lab), "AuthorizedKeysFile none"]);
    certify_with(&lab, "here", "root", "-1d:+1d", &["-O", "source-address=10.0.0.0/8,192.168.0.0/16,172.16.0.0/12"]);
    assert_diagnosed(&login(&lab, &server, &["-i", &identity(&lab, "here")]), &server, &[]);
}

/// A key of the client with a certificate by the authority.
fn certify(lab: &Lab, name: &str, principal: &str, validity: &str) {
    certify_with(lab, name, principal, validity, &[]);
}

/// A key of the client with a certificate that has these options of ssh-keygen too.
fn certify_with(lab: &Lab, name: &str, principal: &str, validity: &str, options: &[&str]) {
    lab.home().keygen(name, &["-t", "ed25519"]);
    let public = identity(lab, &format!("{name}.pub"));
    let authority = identity(lab, "authority");
    let args = ["-q", "-s", &authority, "-I", name, "-n", principal, "-V", validity];
    let signed = lab.run("ssh-keygen", &[&args, options, &[&public]].concat(), Duration::from_secs(10));
    assert_eq!(signed.status, Some(0), "{signed:?}");
}

/// The setting of an sshd that trusts it.
fn trusted_authority(lab: &Lab) -> String {
    format!("TrustedUserCAKeys {}", lab.home().key("authority.pub").display())
}
