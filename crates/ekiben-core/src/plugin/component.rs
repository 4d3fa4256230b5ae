//! From a component's bytes to something that can be instantiated: checks that give messages of our
//! own, and machine code from wherever it can be had.
//!
//! Deserialising machine code is as good as running it, so it is taken from two places only. A
//! built-in plugin's was made when the program was, and is part of it ([`Precompiled`]): whoever can
//! exchange it can exchange the program. All other code is made on this machine, kept in the user's
//! own cache, and sealed with its digest.
//!
//! Code is for any processor of the architecture, never for the features of this one. So what is
//! embedded runs everywhere, and machines can share a cache folder. It is bound to a layout of memory,
//! though: where addresses are limited, embedded code doesn't fit, and the component is compiled.

use std::fmt;

use ekiben_engine::Digest;
use semver::Version;
use serde::Serialize;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, OptLevel};

use super::error::PluginError;
use super::records::Records;

/// The package whose interfaces a plugin imports and exports.
const PACKAGE: &str = "ekiben:plugin";

/// The version of the interface that this host offers: that of the WIT package.
pub const INTERFACE_VERSION: Version = Version::new(0, 1, 0);

/// Machine code of a component that was made before, by [`precompile`].
#[derive(Clone, Copy)]
pub struct Precompiled {
    component: &'static str,
    code: &'static [u8],
}

impl Precompiled {
    /// The `code` that [`precompile`] made of the component with the SHA-256 `component`, which is
    /// spelt in lower case.
    ///
    /// # Safety
    /// It must be that code, made by the same version of this crate and of wasmtime: it will be
    /// executed.
    #[allow(unsafe_code)]
    #[must_use]
    pub const unsafe fn new(component: &'static str, code: &'static [u8]) -> Self {
        Self { component, code }
    }
}

impl fmt::Debug for Precompiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Precompiled({}, {} bytes)", self.component, self.code.len())
    }
}

/// Where the machine code of a plugin came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeSource {
    /// The program.
    Embedded,
    /// The user's cache.
    Cached,
    /// It was compiled just now.
    Compiled,
}

/// The engine all plugins share.
pub(crate) fn engine() -> Result<Engine, PluginError> {
    engine_for(has_room())
}

fn engine_for(has_room: bool) -> Result<Engine, PluginError> {
    let failed = |error: wasmtime::Error| PluginError::Engine(format!("{error:#}"));
    let mut config = Config::new();
    config
        // Named, so that no feature of this very processor is taken for granted.
        .target(&target_lexicon::HOST.to_string())
        .map_err(failed)?
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(1 << 20)
        // Nobody looks at the stack of a guest that failed.
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        // Determinism: the bits of a NaN are the only thing left that machines could differ in.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // Plugins plan; they don't compute. Compiling fast matters more than running fast.
        .cranelift_opt_level(OptLevel::None);
    if !has_room {
        // Memories that don't fit are copied as they grow, seldom enough that the time limit isn't
        // spent on that.
        config
            .memory_reservation(64 << 20)
            .memory_reservation_for_growth(128 << 20)
            .memory_guard_size(64 << 10);
    }
    Engine::new(&config).map_err(failed)
}

/// Whether 4 GiB of addresses for each memory, wasmtime's default, can be had: memories then grow in
/// place, and code needs no bounds checks, which makes it a quarter faster to compile.
fn has_room() -> bool {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    #[cfg(not(unix))]
    let limit: Option<u64> = None;
    cfg!(target_pointer_width = "64") && limit.is_none_or(|limit| limit >= 256 << 30)
}

/// Machine code of a component for any machine of this architecture, with the usual layout of memory.
///
/// # Errors
/// When the bytes are no component for this host.
pub fn precompile(origin: &str, bytes: &[u8]) -> Result<Vec<u8>, PluginError> {
    let component = from_binary(&engine_for(true)?, origin, bytes)?;
    component.serialize().map_err(|error| PluginError::Engine(format!("{error:#}")))
}

/// Takes the code that is embedded or that an earlier build left, or else compiles `bytes`.
pub(crate) fn compile(
    engine: &Engine,
    origin: &str,
    bytes: &[u8],
    digest: &Digest,
    precompiled: Option<Precompiled>,
    records: &dyn Records,
) -> Result<(Component, CodeSource), PluginError> {
    if let Some(embedded) = precompiled
        && embedded.component == digest.to_string()
        && let Some(component) = deserialize(engine, embedded.code)
    {
        return Ok((component, CodeSource::Embedded));
    }
    let key = compiled_key(engine, digest);
    if let Some(sealed) = records.get("component", &key)
        && let Some(code) = unseal(&sealed)
        && let Some(component) = deserialize(engine, code)
    {
        return Ok((component, CodeSource::Cached));
    }
    let component = from_binary(engine, origin, bytes)?;
    // Another build may have stored it meanwhile, and a cache that can't be written isn't an error.
    if let Ok(code) = component.serialize() {
        records.put("component", &key, &seal(&code));
    }
    Ok((component, CodeSource::Compiled))
}

fn from_binary(engine: &Engine, origin: &str, bytes: &[u8]) -> Result<Component, PluginError> {
    check_magic(origin, bytes)?;
    let component = Component::from_binary(engine, bytes).map_err(|error| {
        PluginError::NotAComponent { origin: origin.to_owned(), problem: innermost(&error) }
    })?;
    check_interface(engine, origin, &component)?;
    Ok(component)
}

/// Whether the component exports `interface` of our package.
pub(crate) fn exports(engine: &Engine, component: &Component, interface: &str) -> bool {
    let prefix = format!("{PACKAGE}/{interface}@");
    component.component_type().exports(engine).any(|(name, _)| name.starts_with(&prefix))
}

fn compiled_key(engine: &Engine, digest: &Digest) -> Digest {
    use std::hash::{DefaultHasher, Hash, Hasher};

    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest::of(format!("{digest} {:016x}", hasher.finish()).as_bytes())
}

fn seal(code: &[u8]) -> Vec<u8> {
    let mut sealed = Digest::of(code).as_bytes().to_vec();
    sealed.extend_from_slice(code);
    sealed
}

fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (seal, code) = sealed.split_at_checked(32)?;
    (Digest::of(code).as_bytes() == seal).then_some(code)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the code was made by `Component::serialize`. Either it was embedded, which is what
    // `Precompiled::new` demands; or it was made by this user, for an engine with the same
    // compatibility hash, and its digest shows that it is whole. Whoever can write to the user's
    // cache folder could as well replace the compilers' outputs in it. Code for other settings is
    // refused by wasmtime itself.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// Says what the bytes are, when they are no component, better than a parser can.
fn check_magic(origin: &str, bytes: &[u8]) -> Result<(), PluginError> {
    let problem = match bytes {
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "it is a core WebAssembly module, which has yet to be made a component".to_owned()
        }
        [b'\0', b'a', b's', b'm', ..] => "it is WebAssembly of an unknown version".to_owned(),
        [] => "the file is empty".to_owned(),
        _ => "it isn't WebAssembly".to_owned(),
    };
    Err(PluginError::NotAComponent { origin: origin.to_owned(), problem })
}

/// Reads the imports before linking, because wasmtime's own messages about a missing or changed
/// import speak of types, not of versions.
fn check_interface(
    engine: &Engine,
    origin: &str,
    component: &Component,
) -> Result<(), PluginError> {
    let types = component.component_type();
    for (name, _) in types.imports(engine) {
        let foreign = |problem: &str| PluginError::ForeignImport {
            origin: origin.to_owned(),
            import: name.to_owned(),
            problem: problem.to_owned(),
        };
        let (interface, version) = name.rsplit_once('@').unwrap_or((name, ""));
        if interface.starts_with("wasi:") {
            return Err(foreign("a plugin has no access to the system, so there is no WASI"));
        }
        match interface.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) {
            None => return Err(foreign("it isn't part of the plugin interface")),
            Some(_) => check_version(origin, version)?,
        }
        if !matches!(
            interface,
            "ekiben:plugin/types" | "ekiben:plugin/registry" | "ekiben:plugin/host"
        ) {
            return Err(foreign("the plugin interface has no such part"));
        }
    }
    for (name, _) in types.exports(engine) {
        if let Some((interface, version)) = name.rsplit_once('@')
            && interface.starts_with(PACKAGE)
        {
            check_version(origin, version)?;
        }
    }
    if !exports(engine, component, "provider") {
        return Err(PluginError::MissingExport {
            origin: origin.to_owned(),
            export: format!("{PACKAGE}/provider"),
        });
    }
    Ok(())
}

/// Older minor versions work (in 0.x: older patch versions), newer ones don't.
fn check_version(origin: &str, wanted: &str) -> Result<(), PluginError> {
    let offered = INTERFACE_VERSION;
    let fits = Version::parse(wanted).is_ok_and(|wanted| {
        wanted.major == offered.major
            && (if offered.major == 0 {
                wanted.minor == offered.minor && wanted.patch <= offered.patch
            } else {
                wanted.minor <= offered.minor
            })
    });
    if fits {
        return Ok(());
    }
    Err(PluginError::WrongVersion {
        origin: origin.to_owned(),
        wanted: wanted.to_owned(),
        offered: offered.to_string(),
    })
}

/// The last cause, which in wasmtime's chains is the one with the facts.
fn innermost(error: &wasmtime::Error) -> String {
    error.chain().last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plugin::NoRecords;

    #[test]
    fn the_interface_version_is_that_of_the_wit_package() {
        let wit = include_str!("../../../ekiben-plugin/wit/ekiben-plugin.wit");
        assert!(wit.starts_with(&format!("package {PACKAGE}@{INTERFACE_VERSION};")), "{wit}");
    }

    /// A component of nothing but the export that makes it a plugin.
    fn component() -> Vec<u8> {
        let text = format!(
            r#"(component (instance $i) (export "{PACKAGE}/provider@{INTERFACE_VERSION}" (instance $i)))"#
        );
        wat::parse_str(text).unwrap()
    }

    /// What `component` becomes in an engine, given code that was made of `made_of`.
    #[allow(unsafe_code)]
    fn source(
        engine: &Engine,
        component: &[u8],
        made_of: &[u8],
        records: &dyn Records,
    ) -> CodeSource {
        let digest = |bytes| Digest::of(bytes);
        let code = precompile("p", made_of).unwrap().leak();
        let name = digest(made_of).to_string().leak();
        // SAFETY: `precompile` has just made it.
        let precompiled = unsafe { Precompiled::new(name, code) };
        compile(engine, "p", component, &digest(component), Some(precompiled), records).unwrap().1
    }

    #[test]
    fn embedded_code_is_taken_where_it_fits() {
        let (ours, roomy) = (component(), engine_for(true).unwrap());
        assert_eq!(source(&roomy, &ours, &ours, &NoRecords), CodeSource::Embedded);
        // Of another component, or for memories that there is no room for.
        let mut other = ours.clone();
        other.extend_from_slice(b"\0\x02\x01x");
        assert_eq!(source(&roomy, &ours, &other, &NoRecords), CodeSource::Compiled);
        let narrow = engine_for(false).unwrap();
        assert_eq!(source(&narrow, &ours, &ours, &NoRecords), CodeSource::Compiled);
    }

    #[test]
    fn a_broken_seal_is_noticed() {
        let mut sealed = seal(b"compiled code");
        assert_eq!(unseal(&sealed), Some(&b"compiled code"[..]));
        sealed.pop();
        assert_eq!(unseal(&sealed), None);
        assert_eq!(unseal(b"short"), None);
    }

    #[test]
    fn only_the_same_line_of_versions_fits() {
        assert!(check_version("p", "0.1.0").is_ok());
        for wanted in ["0.0.9", "0.2.0", "0.1.1", "1.0.0", "", "x"] {
            assert!(check_version("p", wanted).is_err(), "{wanted}");
        }
    }
}
