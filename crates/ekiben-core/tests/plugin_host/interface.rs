//! What isn't a plugin, or one for another host, is refused with words of our own.

use std::borrow::Cow;

use ekiben_core::plugin::PluginHost;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

use crate::support::{explain, guest, host};

pub(crate) const WIT: &str = include_str!("../../../ekiben-plugin/wit/ekiben-plugin.wit");

/// A component for the world `plugin` of that package, whose exports do nothing.
fn component(wit: &str, others: &[&str]) -> Vec<u8> {
    let (resolve, world) = resolve(wit, others);
    encode(dummy_module(&resolve, world, ManglingAndAbi::Standard32), wit, others)
}

/// A component of a core module for the world `plugin` of that package.
pub(crate) fn encode(mut module: Vec<u8>, wit: &str, others: &[&str]) -> Vec<u8> {
    let (resolve, world) = resolve(wit, others);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn resolve(wit: &str, others: &[&str]) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    for other in others {
        resolve.push_source("other.wit", other).unwrap();
    }
    let package = resolve.push_source("plugin.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    (resolve, world)
}

fn with_world(more: &str, wit: &str) -> String {
    let (before, after) = wit.split_once("world plugin {").unwrap();
    format!("{before}world plugin {{ {more} {after}")
}

fn refusal(host: &PluginHost, origin: &str, bytes: Vec<u8>) -> String {
    match host.load(origin, Cow::Owned(bytes)) {
        Ok(plugin) => panic!("{origin} was taken for {:?}", plugin.description()),
        Err(error) => format!("{}\n", explain(&error)),
    }
}

#[test]
fn bytes_that_are_no_component() {
    let host = host(&std::sync::Arc::default());
    let whole = guest("banner");
    let module = b"\0asm\x01\0\0\0".to_vec();
    let mut flipped = whole.clone();
    flipped[8..1000].fill(0x5a);
    let told: String = [
        ("empty", Vec::new()),
        ("text", b"#!/bin/sh\n".to_vec()),
        ("a-module", module),
        ("future", b"\0asm\x0e\0\x01\0".to_vec()),
        ("header-only", whole[..8].to_vec()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("flipped", flipped),
    ]
    .into_iter()
    .map(|(origin, bytes)| refusal(&host, origin, bytes))
    .collect();
    insta::with_settings!({ filters => vec![
        (r"\(at offset 0x[0-9a-f]+\)", "(at [OFFSET])"),
        ("\n  help: a plugin is a WebAssembly component; .*", ""),
    ] }, {
        insta::assert_snapshot!(told, @r"
        NotAComponent: the plugin `empty` can't be loaded: the file is empty
        NotAComponent: the plugin `text` can't be loaded: it isn't WebAssembly
        NotAComponent: the plugin `a-module` can't be loaded: it is a core WebAssembly module, which has yet to be made a component
        NotAComponent: the plugin `future` can't be loaded: it is WebAssembly of an unknown version
        MissingExport: the plugin `header-only` doesn't export `ekiben:plugin/provider`
        NotAComponent: the plugin `truncated` can't be loaded: section range 2384..108687 is out of bounds (bound = 60770)
        NotAComponent: the plugin `flipped` can't be loaded: malformed section id: 90 (at [OFFSET])
        ");
    });
}

/// Every length that a cut download may have.
#[test]
fn no_truncated_component_is_taken() {
    let host = host(&std::sync::Arc::default());
    let whole = guest("eager-trap");
    for length in (0..whole.len()).step_by(whole.len() / 64) {
        let cut = whole[..length].to_vec();
        let told = refusal(&host, "cut", cut);
        assert!(!told.is_empty(), "{length}");
    }
}

#[test]
fn another_version_of_the_interface() {
    let host = host(&std::sync::Arc::default());
    let told: String = ["0.9.0", "0.1.1", "0.0.1", "1.0.0"]
        .into_iter()
        .map(|version| {
            let wit = WIT.replace("@0.1.0", &format!("@{version}"));
            refusal(&host, "other", component(&wit, &[]))
        })
        .collect();
    insta::assert_snapshot!(told, @r"
    WrongVersion: the plugin `other` is built for version 0.9.0 of the plugin interface, but this Ekiben has 0.1.0
      help: use a newer Ekiben, or an older release of the plugin
    WrongVersion: the plugin `other` is built for version 0.1.1 of the plugin interface, but this Ekiben has 0.1.0
      help: use a newer Ekiben, or an older release of the plugin
    WrongVersion: the plugin `other` is built for version 0.0.1 of the plugin interface, but this Ekiben has 0.1.0
      help: use a newer release of the plugin, or an older Ekiben
    WrongVersion: the plugin `other` is built for version 1.0.0 of the plugin interface, but this Ekiben has 0.1.0
      help: use a newer Ekiben, or an older release of the plugin
    ");
}

#[test]
fn other_interfaces() {
    let host = host(&std::sync::Arc::default());
    let wasi = "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; }";
    let own = "package acme:rockets@2.0.0; interface pad { launch: func(); }";
    let more =
        WIT.replace("interface types {", "interface secrets { key: func(); } interface types {");
    let told: String = [
        ("wasi", component(&with_world("import wasi:clocks/monotonic-clock@0.2.0;", WIT), &[wasi])),
        ("acme", component(&with_world("import acme:rockets/pad@2.0.0;", WIT), &[own])),
        ("curious", component(&with_world("import secrets;", &more), &[])),
        ("bare", component(&with_world("import launch: func();", WIT), &[])),
        (
            "changed",
            component(&WIT.replace("log: func(message: string)", "log: func(level: u32)"), &[]),
        ),
        ("ahead", component(&WIT.replace("log: func(", "sing: func(); log: func("), &[])),
    ]
    .into_iter()
    .map(|(origin, bytes)| refusal(&host, origin, bytes))
    .collect();
    insta::assert_snapshot!(told, @r"
    ForeignImport: the plugin `wasi` imports `wasi:clocks/monotonic-clock@0.2.0`, which Ekiben doesn't offer: a plugin has no access to the system, so there is no WASI
      help: build it for `wasm32-unknown-unknown`, or without the standard library's operating-system parts
    ForeignImport: the plugin `acme` imports `acme:rockets/pad@2.0.0`, which Ekiben doesn't offer: it isn't part of the plugin interface
      help: build it for `wasm32-unknown-unknown`, or without the standard library's operating-system parts
    ForeignImport: the plugin `curious` imports `ekiben:plugin/secrets@0.1.0`, which Ekiben doesn't offer: the plugin interface has no such part
      help: build it for `wasm32-unknown-unknown`, or without the standard library's operating-system parts
    ForeignImport: the plugin `bare` imports `launch`, which Ekiben doesn't offer: it isn't part of the plugin interface
      help: build it for `wasm32-unknown-unknown`, or without the standard library's operating-system parts
    NotAComponent: the plugin `changed` can't be loaded: component imports instance `ekiben:plugin/host@0.1.0`, but a matching implementation was not found in the linker: instance export `log` has the wrong type: type mismatch with parameters: expected `string` found `u32`
      help: a plugin is a WebAssembly component; `docs/plugins.md` says how to build one
    NotAComponent: the plugin `ahead` can't be loaded: component imports instance `ekiben:plugin/host@0.1.0`, but a matching implementation was not found in the linker: instance export `sing` has the wrong type: function implementation is missing
      help: a plugin is a WebAssembly component; `docs/plugins.md` says how to build one
    ");
}

#[test]
fn nothing_to_call() {
    let host = host(&std::sync::Arc::default());
    let (before, after) = WIT.split_once("world plugin {").unwrap();
    let (_, after) = after.split_once('}').unwrap();
    let wit = format!("{before}world plugin {{ import types; import host; }}{after}");
    insta::assert_snapshot!(refusal(&host, "idle", component(&wit, &[])), @"MissingExport: the plugin `idle` doesn't export `ekiben:plugin/provider`");
}

/// The exports of `dummy_module` are `unreachable`.
#[test]
fn a_plugin_that_says_nothing() {
    let host = host(&std::sync::Arc::default());
    insta::assert_snapshot!(refusal(&host, "mute", component(WIT, &[])), @r"
    Trap: the plugin `mute` failed in describe: wasm trap: wasm `unreachable` instruction executed
      help: this is a fault of the plugin: report it to its authors
    ");
}
