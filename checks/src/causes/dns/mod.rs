//! The causes that show at this check.

mod differ;
mod name;
mod reading;
mod servers;
mod shared;
mod spelling;
mod sshfp;

use super::Cause;

/// The causes that show at this check.
pub static CAUSES: &[Cause] = &[
    spelling::INVALID_NAME,
    name::NXDOMAIN,
    name::NO_ADDRESS,
    name::NOT_ASKED,
    servers::SERVFAIL,
    servers::REFUSED,
    servers::TIMEOUT,
    servers::NO_SERVER,
    servers::SLOW,
    differ::HOSTS_MISMATCH,
    differ::SERVERS_DISAGREE,
    sshfp::SSHFP_MISMATCH,
    sshfp::SSHFP_WEAK,
];

#[cfg(test)]
mod tests {
    use super::CAUSES;
    use crate::base::target::AddressFamily;
    use crate::facts::certainty::Certainty;
    use crate::facts::certainty::Certainty::{Certain, Likely};
    use crate::facts::dns::{DnsAnswer, Facts, NameServer, Question, System, SystemAnswer};
    use crate::facts::{Evidence, Step, Timed};
    use std::net::IpAddr;

    const V4: &str = "192.0.2.7";
    const V6: &str = "2001:db8::7";

    fn code(code: &str) -> DnsAnswer {
        DnsAnswer::Empty { code: code.to_owned() }
    }

    fn records(address: &str) -> DnsAnswer {
        DnsAnswer::Records { addresses: vec![address.parse().unwrap()], aliases: Vec::new(), ttl_s: Some(60) }
    }

    fn server(a: DnsAnswer, aaaa: DnsAnswer) -> NameServer {
        let question = |record_type: &str, answer| Question {
            name: "db.example.".into(),
            record_type: record_type.into(),
            ms: 5000.0,
            answer,
        };
        NameServer {
            address: "198.51.100.53:53".parse().unwrap(),
            configured: true,
            questions: vec![question("A", a), question("AAAA", aaaa)],
        }
    }

    fn both(answer: &DnsAnswer) -> NameServer {
        server(answer.clone(), answer.clone())
    }

    fn error(code: &str) -> SystemAnswer {
        SystemAnswer::Error { code: code.to_owned(), text: "as the system has it".to_owned() }
    }

    fn facts(answer: SystemAnswer, name_servers: Vec<NameServer>) -> Facts {
        Facts {
            name: "db.example".into(),
            family: AddressFamily::Any,
            literal: false,
            system: System { ms: 12.0, answer, other_family: Vec::new() },
            hosts_file: Vec::new(),
            sources: Some(vec!["files".into(), "dns".into()]),
            search: Vec::new(),
            ndots: 1,
            configuration_error: None,
            name_servers,
            host_keys: None,
        }
    }

    fn fired(facts: Facts) -> Vec<(&'static str, Certainty)> {
        let passed = matches!(facts.system.answer, SystemAnswer::Addresses { .. });
        let step = if passed { Step::Passed(facts) } else { Step::Failed(facts) };
        let evidence = Evidence { dns: Timed { step, duration_ms: 12.0 }, ..Evidence::unexamined() };
        let found = |cause: &crate::causes::Cause| Some((cause.code, (cause.judge)(&evidence)?.certainty));
        CAUSES.iter().filter_map(found).collect()
    }

    fn works(ms: f64, name_servers: Vec<NameServer>) -> Facts {
        let mut facts =
            facts(SystemAnswer::Addresses { addresses: vec!["192.0.2.7:22".parse().unwrap()] }, name_servers);
        facts.system.ms = ms;
        facts
    }

    #[test]
    fn a_name_that_ssh_can_look_up_is_healthy_whatever_single_name_servers_say() {
        assert_eq!(fired(works(12.0, vec![server(records(V4), code("NOERROR"))])), []);
        for answer in
            [code("NXDOMAIN"), code("SERVFAIL"), code("REFUSED"), DnsAnswer::TimedOut, DnsAnswer::NotWaitedFor]
        {
            assert_eq!(fired(works(12.0, vec![both(&answer)])), [], "{answer:?}");
        }
    }

    #[test]
    fn a_denied_name_does_not_exist() {
        let denied = both(&code("NXDOMAIN"));
        assert_eq!(fired(facts(error("EAI_NONAME"), vec![denied.clone()])), [("dns-nxdomain", Certain)]);
        let known = both(&records(V4));
        assert_eq!(fired(facts(error("EAI_NONAME"), vec![denied.clone(), known])), [("dns-nxdomain", Likely)]);
        let failing = both(&code("SERVFAIL"));
        assert_eq!(fired(facts(error("EAI_NONAME"), vec![failing, denied])), [("dns-nxdomain", Likely)]);
    }

    #[test]
    fn a_name_is_to_be_replaced_by_hand_only_where_its_ascii_form_is_not_known() {
        let printed = |name: &str| {
            let facts = Facts { name: name.into(), ..facts(error("EAI_NONAME"), Vec::new()) };
            let step = Step::Failed(facts);
            let evidence = Evidence { dns: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
            let cause = CAUSES.iter().find(|cause| (cause.judge)(&evidence).is_some()).unwrap();
            let is_filled = !(cause.judge)(&evidence).unwrap().values.is_empty();
            let by_hand = cause.fixes.iter().filter(|fix| (fix.when)(&evidence)).filter_map(|fix| fix.snippet);
            (cause.code, is_filled, by_hand.filter(|snippet| snippet.contains("FULL.NAME")).count())
        };
        assert_eq!(printed("b\u{fc}ro.example"), ("dns-invalid-name", true, 0));
        assert_eq!(printed("a..example"), ("dns-invalid-name", false, 1));
    }

    #[test]
    fn a_name_without_a_usable_address_exists() {
        let empty = both(&code("NOERROR"));
        assert_eq!(fired(facts(error("EAI_NODATA"), vec![empty])), [("dns-no-address", Certain)]);
        let v6_only = server(code("NOERROR"), records(V6));
        let held_to_v4 = Facts { family: AddressFamily::Inet, ..facts(error("EAI_NODATA"), vec![v6_only]) };
        assert_eq!(fired(held_to_v4.clone()), [("dns-no-address", Certain)]);
        let mut by_hosts_file = Facts { hosts_file: vec![V6.parse().unwrap()], ..held_to_v4 };
        by_hosts_file.name_servers = vec![both(&code("NXDOMAIN"))];
        assert_eq!(fired(by_hosts_file), [("dns-no-address", Certain)]);
    }

    #[test]
    fn a_literal_of_the_other_family_is_no_address() {
        let other: Vec<IpAddr> = vec![V6.parse().unwrap()];
        let mut facts =
            Facts { literal: true, family: AddressFamily::Inet, ..facts(error("EAI_ADDRFAMILY"), Vec::new()) };
        facts.system.other_family = other;
        assert_eq!(fired(facts), [("dns-no-address", Certain)]);
    }

    #[test]
    fn how_the_name_servers_fail_is_told_apart() {
        let again = || error("EAI_AGAIN");
        let silent = || both(&DnsAnswer::TimedOut);
        assert_eq!(fired(facts(again(), vec![both(&code("SERVFAIL"))])), [("dns-servfail", Certain)]);
        assert_eq!(fired(facts(again(), vec![both(&code("SERVFAIL")), silent()])), [("dns-servfail", Likely)]);
        assert_eq!(fired(facts(again(), vec![both(&code("REFUSED"))])), [("dns-refused", Certain)]);
        assert_eq!(fired(facts(again(), vec![silent(), silent()])), [("dns-timeout", Certain)]);
        let cut_off = |ms| {
            let mut facts = facts(SystemAnswer::TimedOut, vec![silent()]);
            facts.system.ms = ms;
            fired(facts)
        };
        assert_eq!(cut_off(4000.0), [("dns-timeout", Likely)], "it may answer yet");
        assert_eq!(cut_off(6000.0), [("dns-timeout", Certain)]);
        let closed = DnsAnswer::Undelivered { errno: "ECONNREFUSED".into() };
        assert_eq!(fired(facts(again(), vec![both(&closed)])), [("dns-timeout", Certain)]);
        let fallback = NameServer { configured: false, ..both(&closed) };
        assert_eq!(fired(facts(again(), vec![fallback])), [("dns-no-server", Certain)]);
        assert_eq!(fired(facts(again(), vec![server(records(V4), code("SERVFAIL"))])), [("dns-servfail", Likely)]);
    }

    #[test]
    fn that_a_name_server_fails_or_is_silent_leaves_its_reason_open() {
        let is_open = |answer: &DnsAnswer| {
            let step = Step::Failed(facts(error("EAI_AGAIN"), vec![both(answer)]));
            let evidence = Evidence { dns: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
            CAUSES.iter().find_map(|cause| (cause.judge)(&evidence)).map(|found| found.reason_open)
        };
        assert_eq!(is_open(&code("SERVFAIL")), Some(true));
        assert_eq!(is_open(&DnsAnswer::TimedOut), Some(true));
        assert_eq!(is_open(&code("REFUSED")), Some(false));
    }

    #[test]
    fn half_an_answer_does_not_say_that_there_is_no_address() {
        for aaaa in [code("NOERROR"), code("NXDOMAIN")] {
            let half = server(DnsAnswer::TimedOut, aaaa);
            assert_eq!(fired(facts(error("EAI_AGAIN"), vec![half])), [("dns-timeout", Likely)]);
        }
    }

    #[test]
    fn a_name_that_only_dns_knows_is_not_asked_for() {
        let known = || vec![both(&records(V4))];
        let files_only = |facts| Facts { sources: Some(vec!["files".into()]), ..facts };
        assert_eq!(fired(files_only(facts(error("EAI_NONAME"), known()))), [("dns-not-asked", Certain)]);
        assert_eq!(fired(facts(error("EAI_NONAME"), known())), []);
        assert_eq!(fired(files_only(facts(error("EAI_NONAME"), vec![both(&DnsAnswer::TimedOut)]))), []);
    }

    #[test]
    fn a_slow_look_up_is_laid_on_a_server_only_when_another_answered() {
        let good = || server(records(V4), code("NOERROR"));
        let silent = || both(&DnsAnswer::NotWaitedFor);
        assert_eq!(fired(works(5004.0, vec![silent(), good()])), [("dns-slow", Certain)]);
        assert_eq!(fired(works(3000.0, vec![good()])), [("dns-slow", Likely)]);
        assert_eq!(fired(works(3000.0, vec![silent()])), [("dns-slow", Likely)]);
        assert_eq!(fired(works(3000.0, vec![good(), silent()])), [("dns-slow", Likely)], "it was not come to");
        assert_eq!(fired(works(900.0, vec![silent(), good()])), []);
    }

    #[test]
    fn another_address_than_dns_has_needs_a_source_that_explains_it() {
        let elsewhere = || works(1.0, vec![server(records("198.51.100.9"), code("NOERROR"))]);
        let by_hosts_file = || Facts { hosts_file: vec![V4.parse().unwrap()], ..elsewhere() };
        assert_eq!(fired(by_hosts_file()), [("dns-hosts-mismatch", Certain)]);
        assert_eq!(fired(elsewhere()), [], "a name with many addresses in turn");
        let multicast = Some(vec!["files".into(), "mdns4_minimal".into(), "dns".into()]);
        assert_eq!(fired(Facts { sources: multicast, ..elsewhere() }), [("dns-hosts-mismatch", Likely)]);
        let same =
            Facts { hosts_file: vec![V4.parse().unwrap()], ..works(1.0, vec![server(records(V4), code("NOERROR"))]) };
        assert_eq!(fired(same), []);
        let unknown = Facts { hosts_file: vec![V4.parse().unwrap()], ..works(1.0, vec![both(&code("NXDOMAIN"))]) };
        assert_eq!(fired(unknown), [], "a name that only the hosts file has");
    }

    #[test]
    fn name_servers_disagree_where_one_denies_or_has_the_other_side_of_a_split() {
        let knows = |address| server(records(address), code("NOERROR"));
        assert_eq!(fired(works(1.0, vec![knows(V4), both(&code("NXDOMAIN"))])), [("dns-servers-disagree", Certain)]);
        assert_eq!(fired(works(1.0, vec![knows(V4), knows("10.0.0.7")])), [("dns-servers-disagree", Likely)]);
        assert_eq!(fired(works(1.0, vec![knows(V4), knows("198.51.100.9")])), [], "many addresses in turn");
        assert_eq!(fired(works(1.0, vec![knows(V4), both(&DnsAnswer::TimedOut)])), []);
    }

    #[test]
    fn a_name_that_nobody_is_asked_for_is_a_slip_of_spelling() {
        let named = |name: &str| Facts { name: name.into(), ..facts(error("EAI_NONAME"), Vec::new()) };
        assert_eq!(fired(named("a..b")), [("dns-invalid-name", Certain)]);
        assert_eq!(fired(named("a/b")), [("dns-invalid-name", Likely)]);
        assert_eq!(fired(Facts { name: "a..b".into(), ..works(1.0, Vec::new()) }), [], "a hosts file may have it");
        let found = (crate::causes::dns::spelling::INVALID_NAME.judge)(&Evidence {
            dns: Timed { step: Step::Failed(named("bücher.example")), duration_ms: 1.0 },
            ..Evidence::unexamined()
        });
        assert_eq!(found.unwrap().values, [("ascii", "xn--bcher-kva.example".to_owned())]);
    }

    #[test]
    fn what_was_never_asked_is_not_judged() {
        assert_eq!(fired(facts(error("EAI_NONAME"), Vec::new())), []);
    }
}
