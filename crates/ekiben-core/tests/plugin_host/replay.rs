//! What a plugin did is remembered, and done again without it.

use std::borrow::Cow;
use std::sync::Arc;

use ekiben_core::plugin::Outcome::{Ran, Replayed};

use crate::support::{Counted, Desk, Facts, call, explain, guest, host, load, try_call};

#[test]
fn a_command_writes_a_file_for_every_product() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    let desk = Desk::new(Facts::banner(&["spam", "eggs"]));
    assert_eq!(call(&banner, &host, "generate", &desk), Ran);
    insta::assert_snapshot!(desk.shown(), @r#"
    Warning nobody: the banner greets nobody in particular None ["set the environment variable BANNER_USER"]
    write banner/spam.c: generated-source of spam: "/* Hello, traveller */\n"
    write banner/eggs.c: generated-source of eggs: "/* Hello, traveller */\n"
    "#);
}

#[test]
fn a_command_emits_actions() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    let facts = Facts::banner(&["spam"]).with_artifact("banner/spam.c", "generated-source", None);
    let desk = Desk::new(facts);
    assert_eq!(call(&banner, &host, "shout", &desk), Ran);
    insta::assert_snapshot!(desk.shown(), @r#"
    version of shell: echo POSIX
    output banner/spam.txt: banner-text of spam
    Shout: shout for spam runs shell
      text "-c"
      text "tr a-z A-Z <\"$1\" >\"$2\""
      text "shout"
      Input "" banner/spam.c ""
      Output "" banner/spam.txt ""
      PATH=/usr/bin:/bin
    "#);
}

#[test]
fn a_command_reads_what_an_action_made() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    for (content, count) in [("HELLO, ada", "5"), ("HI", "2")] {
        let facts =
            Facts::banner(&[]).with_artifact("banner/spam.txt", "banner-text", Some(content));
        let desk = Desk::new(facts);
        assert_eq!(call(&banner, &host, "count", &desk), Ran);
        assert_eq!(
            desk.shown(),
            format!("write banner/spam.count: banner-count of spam: {count:?}\n")
        );
    }
}

#[test]
fn equal_answers_replay_without_the_component() {
    let records = Arc::new(Counted::default());
    let first = Desk::new(Facts::banner(&["spam"]));
    {
        let host = host(&records);
        assert_eq!(call(&load(&host, "banner"), &host, "generate", &first), Ran);
    }
    // Without compiled code, running would have to compile, and so to store it again.
    records.forget("component");
    let compiled = records.kept("component");
    let described = records.kept("description");

    let host = host(&records);
    let banner = load(&host, "banner");
    let second = Desk::new(Facts::banner(&["spam"]));
    assert_eq!(call(&banner, &host, "generate", &second), Replayed);
    assert_eq!(second.shown(), first.shown());
    assert_eq!(*second.asked.lock().unwrap(), *first.asked.lock().unwrap());
    assert_eq!(records.kept("component"), compiled, "nothing was compiled");
    assert_eq!(records.kept("description"), described, "nothing described itself");
}

#[test]
fn each_command_has_its_own_journals() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    let facts = Facts::banner(&["spam"]);
    assert_eq!(call(&banner, &host, "generate", &Desk::new(facts.clone())), Ran);
    assert_eq!(call(&banner, &host, "shout", &Desk::new(facts.clone())), Ran);
    assert_eq!(call(&banner, &host, "generate", &Desk::new(facts)), Replayed);
}

#[test]
fn a_changed_answer_reruns_and_going_back_replays() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    let ada = Facts::banner(&["spam"]).with_user("Ada");
    let grace = Facts::banner(&["spam"]).with_user("Grace");
    let outcomes = [&ada, &grace, &ada, &grace].map(|facts| {
        let desk = Desk::new(facts.clone());
        let outcome = call(&banner, &host, "generate", &desk);
        let user = &facts.environment["BANNER_USER"];
        assert!(desk.shown().contains(&format!("Hello, {user}")), "{}", desk.shown());
        outcome
    });
    assert_eq!(outcomes, [Ran, Ran, Replayed, Replayed]);
}

#[test]
fn what_no_one_asked_for_may_change() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    let mut facts = Facts::banner(&["spam"]);
    call(&banner, &host, "generate", &Desk::new(facts.clone()));
    facts.sources.insert("README".to_owned(), "new".to_owned());
    facts.environment.insert("HOME".to_owned(), "/new".to_owned());
    assert_eq!(call(&banner, &host, "generate", &Desk::new(facts)), Replayed);
}

/// The warning that there is no user comes before the question for the products.
#[test]
fn a_partial_replay_performs_no_effect_twice() {
    let records = Arc::default();
    let host = host(&records);
    let banner = load(&host, "banner");
    call(&banner, &host, "generate", &Desk::new(Facts::banner(&["spam"])));
    let more = Facts::banner(&["spam", "eggs"]);
    let desk = Desk::new(more.clone());
    assert_eq!(call(&banner, &host, "generate", &desk), Ran);

    let untouched = crate::support::host(&Arc::default());
    let fresh = Desk::new(more);
    call(&load(&untouched, "banner"), &untouched, "generate", &fresh);
    assert_eq!(desk.shown(), fresh.shown());
    assert_eq!(desk.shown().matches("nobody in particular").count(), 1);
}

#[test]
fn a_plugin_that_contradicts_its_journal_is_stopped() {
    let records = Arc::new(Counted::default());
    let host = host(&records);
    let banner = load(&host, "banner");
    call(&banner, &host, "generate", &Desk::new(Facts::banner(&["spam"])));
    records.tamper("journal", |record| {
        let words = b"nobody in particular";
        let at = record.windows(words.len()).position(|window| window == words).unwrap();
        record[at..at + 6].copy_from_slice(b"no one");
    });
    let desk = Desk::new(Facts::banner(&["eggs"]));
    let error = try_call(&banner, &host, "generate", &desk).unwrap_err();
    insta::assert_snapshot!(explain(&error), @r#"
    Mistake: the plugin `banner` 1.0.0 made a mistake in the command `generate`: it isn't deterministic: with the same answers it once did Report(Report { severity: Warning, code: "nobody", message: "the banner greets no one in particular", at: None, help: ["set the environment variable BANNER_USER"] }) and now Report(Report { severity: Warning, code: "nobody", message: "the banner greets nobody in particular", at: None, help: ["set the environment variable BANNER_USER"] })
      help: this is a fault of the plugin: report it to its authors
    "#);
}

#[test]
fn a_failed_call_is_not_remembered() {
    let records = Arc::new(Counted::default());
    let host = host(&records);
    let banner = load(&host, "banner");
    let mut facts = Facts::banner(&["spam"]);
    facts.sources.insert("banner.c.in".to_owned(), "one\n  @{oops\n".to_owned());
    let error = try_call(&banner, &host, "generate", &Desk::new(facts.clone())).unwrap_err();
    insta::assert_snapshot!(format!("{error:#?}"), @r#"
    User {
        plugin: "`banner` 1.0.0",
        reports: [
            Report {
                severity: Error,
                code: "unfinished-placeholder",
                message: "`@{` has no `}`",
                at: Some(
                    (
                        "banner.c.in",
                        2,
                        3,
                    ),
                ),
                help: [
                    "write @{greeting}, @{user} or @{product}",
                ],
            },
        ],
    }
    "#);
    assert_eq!(records.kept("journal"), 0);
    try_call(&banner, &host, "generate", &Desk::new(facts)).unwrap_err();
}

#[test]
fn a_second_host_takes_the_compiled_code() {
    let records = Arc::new(Counted::default());
    for facts in [Facts::banner(&["a"]), Facts::banner(&["b"]), Facts::banner(&["c"])] {
        let host = host(&records);
        assert_eq!(call(&load(&host, "banner"), &host, "generate", &Desk::new(facts)), Ran);
    }
    assert_eq!(records.kept("component"), 1);
    assert_eq!(records.kept("description"), 1);
}

#[test]
fn damaged_records_are_made_again() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        Vec::clear,
        |record| record.truncate(record.len() / 2),
        |record| {
            let middle = record.len() / 2;
            record[middle] ^= 1;
        },
        |record| record.iter_mut().for_each(|byte| *byte = 0xff),
    ];
    for damage in damages {
        let records = Arc::new(Counted::default());
        let first = host(&records);
        call(&load(&first, "banner"), &first, "generate", &Desk::new(Facts::banner(&["a"])));
        records.tamper("component", damage);
        let second = host(&records);
        let banner = second.load("banner", Cow::Owned(guest("banner"))).unwrap();
        let desk = Desk::new(Facts::banner(&["b"]));
        assert_eq!(call(&banner, &second, "generate", &desk), Ran);
        assert_eq!(records.kept("component"), 2, "the damaged record was replaced");
    }
}

#[test]
fn the_description_holds_all_that_the_plugin_said() {
    let records = Arc::default();
    let host = host(&records);
    let described = load(&host, "banner").description().clone();
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&described).unwrap(),
        @r#"
    {
      "id": "banner",
      "version": "1.0.0",
      "summary": "Writes a greeting into every extension module",
      "options": "{\n    \"type\": \"object\",\n    \"properties\": {\n        \"greeting\": {\n            \"type\": \"string\",\n            \"default\": \"Hello\",\n            \"description\": \"What the banner says first\"\n        },\n        \"template\": {\n            \"type\": \"string\",\n            \"default\": \"banner.c.in\",\n            \"description\": \"The C file to fill in, with @{greeting}, @{user} and @{product}\"\n        }\n    },\n    \"additionalProperties\": false\n}",
      "capabilities": [
        "read:source",
        "env:BANNER_USER"
      ],
      "tools": [
        {
          "name": "shell",
          "serves": [],
          "environment": [],
          "candidates": [
            "sh"
          ],
          "interpreter": false
        }
      ],
      "commands": [
        {
          "name": "generate",
          "summary": "write a C file with the greeting",
          "consumes": [],
          "produces": [
            "generated-source"
          ],
          "before": [
            "compile"
          ],
          "after": [],
          "replaces": [],
          "disables": [],
          "required_after": [],
          "translates": [],
          "answers": [],
          "makes": [],
          "requires": []
        },
        {
          "name": "shout",
          "summary": "write the greetings in capitals",
          "consumes": [
            "generated-source"
          ],
          "produces": [
            "banner-text"
          ],
          "before": [],
          "after": [],
          "replaces": [],
          "disables": [],
          "required_after": [
            "generate"
          ],
          "translates": [],
          "answers": [],
          "makes": [],
          "requires": []
        },
        {
          "name": "count",
          "summary": "count the letters of the capitals",
          "consumes": [
            "banner-text"
          ],
          "produces": [
            "banner-count"
          ],
          "before": [],
          "after": [
            "no-such-command?"
          ],
          "replaces": [],
          "disables": [],
          "required_after": [
            "shout"
          ],
          "translates": [],
          "answers": [],
          "makes": [],
          "requires": []
        }
      ],
      "languages": [],
      "toolchain": false
    }
    "#
    );
    assert_eq!(*load(&host, "banner").description(), described, "from its record");
    assert_eq!(described.command_specs().unwrap().len(), 3);
}
