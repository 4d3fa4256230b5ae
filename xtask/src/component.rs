//! Makes a component of a core module.

use anyhow::{Context as _, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm};

/// The only package that a plugin may import: anything else would be authority that the host's
/// capabilities don't cover.
const PACKAGE: &str = "ekiben:plugin";

/// Encodes a module built with `ekiben-plugin`. There is no WASI adapter to fall back on.
pub(crate) fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module has no usable component description")?
        .encode()
        .context("the module can't be made a component")?;
    check_interface(&component)?;
    Ok(component)
}

fn check_interface(component: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("a component was expected, not a WIT package");
    };
    for (key, _) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        if name.split_once('/').is_none_or(|(package, _)| package != PACKAGE) {
            bail!("it imports `{name}`; a plugin may import interfaces of `{PACKAGE}` only");
        }
    }
    let exported = resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key));
    let provider = format!("{PACKAGE}/provider@");
    if !exported.into_iter().any(|name| name.starts_with(&provider)) {
        bail!("it exports no `{PACKAGE}/provider`: does it call `export_plugin!`?");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{ManglingAndAbi, Resolve};

    use super::*;

    /// A module for the world `plugin` of a WIT package.
    fn module(wit: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("test.wit", wit).unwrap();
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    #[test]
    fn only_the_plugin_interface_may_be_imported() {
        let ours = "package ekiben:plugin@0.1.0; interface host { log: func(line: string); } \
                    interface provider { run: func(); } world plugin { import host; export provider; }";
        assert!(encode(&module(ours)).is_ok());
        let theirs = ours.replace("ekiben:plugin", "wasi:cli");
        let error = encode(&module(&theirs)).unwrap_err();
        assert!(error.to_string().contains("it imports `wasi:cli/host@0.1.0`"), "{error}");
    }

    #[test]
    fn a_module_of_another_make_is_refused() {
        assert!(encode(b"\0asm\x01\0\0\0").is_err());
        assert!(encode(b"not wasm").is_err());
    }
}
