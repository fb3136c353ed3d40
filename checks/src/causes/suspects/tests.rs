use super::seen::Seen;
use super::suspect::{Clock, Suspect, SuspectEnding, SuspectKind, Unit, WANTED_S};
use super::{consistent_with, of, table};
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, Facts, Moves, Sign, StretchEnd, Timeout};
use crate::facts::{Evidence, Step, Timed};

fn seen(survived: f64, died: f64, ending: SuspectEnding) -> Seen<'static> {
    let bracket = Timeout { survived_s: Some(survived), died_s: Some(died) };
    Seen { clock: Clock::Idle, bracket, ending, tcp_keepalive_held: None, server_heard: None, version: None }
}

fn names(seen: &Seen) -> Vec<&'static str> {
    consistent_with(seen).iter().map(|suspect| suspect.name).collect()
}

#[test]
fn a_number_and_a_manner_name_all_that_fit_and_no_others() {
    let aws = names(&seen(340.0, 360.0, SuspectEnding::Silent));
    assert_eq!(
        aws,
        ["AWS Gateway Load Balancer", "AWS Network Firewall", "EC2 security group tracking on Nitro v6 instances"]
    );
    let reset = names(&seen(340.0, 360.0, SuspectEnding::ResetAfterPacket));
    assert_eq!(reset, ["AWS NAT Gateway", "AWS Network Load Balancer, TCP listener"]);
    assert_eq!(names(&seen(232.0, 247.0, SuspectEnding::Silent)), ["Azure Load Balancer or its inbound NAT rule"]);
    assert_eq!(names(&seen(232.0, 247.0, SuspectEnding::ResetAfterPacket)), ["Azure NAT Gateway"]);
    assert!(names(&seen(340.0, 360.0, SuspectEnding::Fin)).is_empty());
    let hour = names(&seen(3500.0, 3700.0, SuspectEnding::Silent));
    assert!(hour.contains(&"Cisco ASA or FTD") && hour.contains(&"FortiGate"), "{hour:?}");
}

#[test]
fn a_timer_of_nobodys_names_nobody() {
    for (survived, died) in [(5.0, 6.0), (3.8, 4.2), (100.0, 110.0), (400.0, 450.0)] {
        for ending in
            [SuspectEnding::Silent, SuspectEnding::ResetAfterPacket, SuspectEnding::ResetAtExpiry, SuspectEnding::Fin]
        {
            assert!(names(&seen(survived, died, ending)).is_empty(), "{survived}..{died} {ending:?}");
        }
    }
}

#[test]
fn the_timer_has_to_lie_in_the_bracket_give_or_take_two_per_cent() {
    let fits = |survived: f64, died: f64| names(&seen(survived, died, SuspectEnding::ResetAfterPacket));
    let both = ["AWS NAT Gateway", "AWS Network Load Balancer, TCP listener"];
    // 350 s less 2 % is 343, and more 2 % is 357.
    for (survived, died) in [(300.0, 343.0), (340.0, 343.5), (349.0, 351.0), (356.9, 380.0), (330.0, 420.0)] {
        assert_eq!(fits(survived, died), both, "{survived}..{died}");
    }
    for (survived, died) in [(300.0, 342.9), (357.1, 380.0), (357.0, 380.0)] {
        assert!(fits(survived, died).is_empty(), "{survived}..{died}");
    }
    // Exactly a quarter wide is narrow enough, a little more is not.
    assert_eq!(fits(300.0, 400.0), both);
    assert!(fits(299.0, 400.0).is_empty());
}

#[test]
fn a_manner_that_the_product_does_not_have_excludes_it() {
    let at_350 = |ending| names(&seen(345.0, 355.0, ending));
    assert_eq!(at_350(SuspectEnding::ResetAtExpiry), ["AWS Gateway Load Balancer"]);
    assert!(at_350(SuspectEnding::Fin).is_empty());
    assert!(!at_350(SuspectEnding::Silent).contains(&"AWS NAT Gateway"), "it resets");
    for (manner, sign) in [
        (Manner::Silent, Sign::BeforeProbe),
        (Manner::ChannelClose, Sign::AfterProbe),
        (Manner::ExitStatus { status: 0 }, Sign::BeforeProbe),
        (Manner::Errno { errno: 110 }, Sign::AfterProbe),
    ] {
        assert_eq!(SuspectEnding::of(&manner, sign), None, "{manner:?}");
    }
}

#[test]
fn a_wide_or_open_bracket_names_nobody() {
    assert!(names(&seen(260.0, 360.0, SuspectEnding::Silent)).is_empty());
    assert!(!names(&seen(290.0, 360.0, SuspectEnding::Silent)).is_empty());
    for bracket in [
        Timeout { survived_s: None, died_s: Some(360.0) },
        Timeout { survived_s: Some(340.0), died_s: None },
        Timeout { survived_s: Some(360.0), died_s: Some(340.0) },
        Timeout { survived_s: Some(0.0), died_s: Some(0.0) },
    ] {
        assert!(names(&Seen { bracket, ..seen(0.0, 0.0, SuspectEnding::Silent) }).is_empty(), "{bracket:?}");
    }
}

#[test]
fn tcp_keepalives_tell_a_table_from_a_proxy_and_a_version_names_a_server() {
    let closed = seen(590.0, 615.0, SuspectEnding::Fin);
    assert_eq!(names(&closed), ["nginx stream proxy"]);
    assert_eq!(names(&Seen { tcp_keepalive_held: Some(false), ..closed }), ["nginx stream proxy"]);
    assert!(names(&Seen { tcp_keepalive_held: Some(true), ..closed }).is_empty());
    let silent = seen(340.0, 360.0, SuspectEnding::Silent);
    assert_eq!(names(&Seen { tcp_keepalive_held: Some(true), ..silent }).len(), 3);
    assert!(names(&Seen { tcp_keepalive_held: Some(false), ..silent }).is_empty());
    let library = names(&Seen { version: Some("SSH-2.0-russh_0.65.1"), ..closed });
    assert_eq!(library, ["nginx stream proxy", "an SSH server built with russh"]);
}

#[test]
fn what_the_server_revives_is_not_named_where_the_server_was_not_heard() {
    let silent = seen(590.0, 615.0, SuspectEnding::Silent);
    assert_eq!(names(&silent), ["Google Cloud VPC firewall tracking"]);
    assert_eq!(names(&Seen { server_heard: Some(true), ..silent }), ["Google Cloud VPC firewall tracking"]);
    assert!(names(&Seen { server_heard: Some(false), ..silent }).is_empty());
}

#[test]
fn an_age_and_a_silence_of_one_hour_have_different_suspects() {
    let evidence = Evidence::unexamined();
    let ended = dead(Manner::Fin, Sign::BeforeProbe);
    let busy = Arm { interval_s: Some(2), ..Arm::sample(Moves::ChannelData, 3603.0, ended) };
    let aged = Seen::of_age(&evidence, &busy).unwrap();
    assert_eq!(names(&aged), ["AWS EC2 Instance Connect Endpoint"]);
    assert_eq!(super::of_age(&evidence, &busy)[0].name, "AWS EC2 Instance Connect Endpoint");
    assert!(super::of_age(&evidence, &Arm { age_s: 1800.0, ..busy }).is_empty());
    assert_eq!(names(&Seen { clock: Clock::Idle, ..aged }), ["Envoy TCP proxy"]);
}

fn dead(manner: Manner, sign: Sign) -> StretchEnd {
    StretchEnd::Died { manner, sign, others_alive: true, tcp: None }
}

fn named(arms: Vec<Arm>) -> Vec<&'static str> {
    let lived = Arm::sample(Moves::Nothing, 340.2, StretchEnd::Alive { rtt_ms: 1.0 });
    let facts = Facts { arms: arms.into_iter().chain([lived]).collect(), ..Facts::default() };
    let idle = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
    of(&Evidence { idle, ..Evidence::unexamined() }).iter().map(|suspect| suspect.name).collect()
}

#[test]
fn the_evidence_is_read_as_the_arms_have_it() {
    let silent = || Arm::sample(Moves::Nothing, 360.0, dead(Manner::Silent, Sign::AfterProbe));
    assert_eq!(named(vec![silent()]).len(), 3);
    let held = Arm::sample(Moves::TcpKeepalive, 400.0, StretchEnd::Alive { rtt_ms: 1.0 });
    assert_eq!(named(vec![silent(), held]).len(), 3);
    let too_short = Arm::sample(Moves::TcpKeepalive, 100.0, StretchEnd::Alive { rtt_ms: 1.0 });
    assert_eq!(named(vec![silent(), too_short]).len(), 3);
    let lost = Arm::sample(Moves::TcpKeepalive, 400.0, dead(Manner::Silent, Sign::AfterProbe));
    assert!(named(vec![silent(), lost]).is_empty());
    let near = Arm { hop: Some(1), ..Arm::sample(Moves::TcpKeepalive, 400.0, dead(Manner::Silent, Sign::AfterProbe)) };
    assert_eq!(named(vec![silent(), near]).len(), 3, "a keepalive that does not reach the table says nothing of it");
    assert!(named(vec![Arm::sample(Moves::Nothing, 360.0, dead(Manner::ChannelClose, Sign::BeforeProbe))]).is_empty());
    assert!(named(Vec::new()).is_empty());
    assert!(of(&Evidence::unexamined()).is_empty());
}

#[test]
fn every_entry_can_be_told_and_turned() {
    for suspect in table::SUSPECTS {
        let Suspect { name, source, limit_s, range_s, kind, endings, .. } = suspect;
        assert!(!name.is_empty() && !source.is_empty() && *limit_s > 0 && !endings.is_empty(), "{suspect:?}");
        assert!(range_s.is_none_or(|(least, most)| least <= *limit_s && *limit_s < most), "{name}");
        assert!((*kind == SuspectKind::Server) == suspect.version.is_some(), "{name}");
        let alone = Seen { clock: suspect.clock, version: suspect.version, ..seen(0.0, 0.0, endings[0]) };
        let limit = f64::from(*limit_s);
        let bracket = Timeout { survived_s: Some(limit * 0.97), died_s: Some(limit * 1.03) };
        assert!(consistent_with(&Seen { bracket, ..alone }).iter().any(|found| found.name == *name), "{name}");
        let turned = suspect.turned();
        let left = |text: &String| text.contains('{') && text.contains("wanted");
        assert!(!turned.is_some_and(|(todo, paste)| left(&todo) || paste.iter().any(left)), "{name}");
    }
    let sorted = table::SUSPECTS.is_sorted_by_key(|suspect| suspect.limit_s);
    assert!(sorted, "the table is in the order of the timers");
}

#[test]
fn a_knob_is_turned_in_its_own_unit_and_no_further_than_it_goes() {
    assert_eq!([Unit::Seconds, Unit::Minutes, Unit::Clock].map(|unit| unit.of(WANTED_S)), ["7440", "124", "2:04:00"]);
    let turned = |name: &str| {
        let suspect = table::SUSPECTS.iter().find(|suspect| suspect.name == name).unwrap();
        suspect.turned().map(|(todo, paste)| paste.unwrap_or(todo))
    };
    assert!(turned("Azure NAT Gateway").unwrap().ends_with("--idle-timeout 120"));
    assert!(turned("AWS Gateway Load Balancer").unwrap().ends_with("Value=6000"));
    assert_eq!(turned("AWS NAT Gateway"), None);
    assert_eq!(turned("Cisco ASA or FTD").unwrap(), "timeout conn 2:04:00");
    assert!(turned("Azure Firewall, traffic to and from the internet").unwrap().ends_with("to 15 minutes"));
}
