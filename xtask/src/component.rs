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
    check_imports(&component)?;
    Ok(component)
}

fn check_imports(component: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("a component was expected, not a WIT package");
    };
    for (key, _) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        if name.split_once('/').is_none_or(|(package, _)| package != PACKAGE) {
            bail!("it imports `{name}`; a plugin may import interfaces of `{PACKAGE}` only");
        }
    }
    Ok(())
}
