//! The software development kit for Ekiben's plugins.
//!
//! A plugin is a WebAssembly component for the world `plugin` (or `toolchain-plugin`) of the WIT
//! package in this crate's `wit/` folder. It has no file system, clock, network or processes: all
//! that it knows it asked the host, and all that it does it asks the host to do. That is why the
//! host can replay its result without running it, and why a user can trust a stranger's plugin.
//!
//! A plugin that only brings commands implements [`Plugin`] and calls [`export_plugin!`]; one that
//! also compiles and links implements [`Toolchain`] and calls [`export_toolchain_plugin!`].
//!
//! ```
//! use ekiben_plugin::{Context, Failure, Plugin, Registration};
//!
//! struct Banner;
//!
//! impl Plugin for Banner {
//!     fn describe(to: &Registration) {
//!         to.identity("banner", "1.0.0", "Writes a C file with the Python version in it");
//!         let generate = to.command("generate", "write banner.c");
//!         generate.produces("generated-source");
//!     }
//!
//!     fn run(command: &str, cx: &Context) -> Result<(), Failure> {
//!         assert_eq!(command, "generate");
//!         let version = cx.fact("python.version").unwrap_or_default();
//!         for product in cx.products() {
//!             let text = format!("const char *banner = \"{version}\";\n");
//!             let path = format!("banner/{}.c", product.name());
//!             cx.write(&path, "generated-source", Some(&product.name()), text.as_bytes())?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! ekiben_plugin::export_plugin!(Banner);
//! # fn main() {}
//! ```
//!
//! The crate compiles for the machine it is developed on too, so that the parts of a plugin that
//! don't call the host can have ordinary unit tests; a host function called there panics.
//!
//! Invariant: this crate adds names and conversions, and to a panic its words; no other behaviour.
//! What a Rust plugin can do, a plugin in any language can do through the same WIT.

mod bindings;

pub use bindings::plugin::ekiben::plugin::host::{
    Action, Artifact, CompileRequest, Context, Distribution, LinkRequest, Probe, Product, Tool,
    Tree, has, log,
};
pub use bindings::plugin::ekiben::plugin::registry::{
    CommandDeclaration, LanguageDeclaration, Registration, ToolDeclaration,
};
pub use bindings::plugin::ekiben::plugin::types::{
    Diagnostic, Failure, Location, ProbeResult, Severity, Span,
};

/// A plugin that brings commands.
pub trait Plugin {
    /// Says what the plugin is and has. Its result is cached by the component's content.
    fn describe(to: &Registration);

    /// Plans `command`, one of those that [`describe`](Plugin::describe) declared, by its name
    /// without the plugin's prefix.
    fn run(command: &str, cx: &Context) -> Result<(), Failure>;
}

/// A plugin that turns abstract requests to compile and link into actions.
pub trait Toolchain: Plugin {
    /// Emits actions that make an artifact of kind `object` from each source, in the order of the
    /// sources. [`Failure::Unsupported`] makes the host ask another toolchain.
    fn compile(cx: &Context, request: &CompileRequest) -> Result<(), Failure>;

    /// Emits actions that make the request's output.
    fn link(cx: &Context, request: &LinkRequest) -> Result<(), Failure>;
}

impl Diagnostic {
    /// An error with a stable kebab-case code.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            at: None,
            help: Vec::new(),
        }
    }

    /// A warning with a stable kebab-case code.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a sentence on what the user can do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Says where in the project the cause lies.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>, line: u32, column: u32) -> Self {
        self.at = Some(Span { path: path.into(), line, column });
        self
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::User(vec![diagnostic])
    }
}

/// Makes `$plugin`, a [`Plugin`], the component's. Other targets get no exports: their linkers don't
/// take the names, and unit tests don't need them.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::__bindings::plugin::exports::ekiben::plugin::provider::Guest for Exported {
                fn describe(to: &$crate::Registration) {
                    $crate::__log_panics();
                    <$plugin as $crate::Plugin>::describe(to)
                }
                fn run(command: String, cx: &$crate::Context) -> Result<(), $crate::Failure> {
                    $crate::__log_panics();
                    <$plugin as $crate::Plugin>::run(&command, cx)
                }
            }
            $crate::__bindings::plugin::__export_plugin!(
                Exported with_types_in $crate::__bindings::plugin
            );
        };
    };
}

/// Makes `$plugin`, a [`Toolchain`], the component's, with its commands if it has some.
#[macro_export]
macro_rules! export_toolchain_plugin {
    ($plugin:ty) => {
        $crate::export_plugin!($plugin);
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::__bindings::toolchain::exports::ekiben::plugin::toolchain::Guest
                for Exported
            {
                fn compile(
                    cx: &$crate::Context,
                    request: &$crate::CompileRequest,
                ) -> Result<(), $crate::Failure> {
                    $crate::__log_panics();
                    <$plugin as $crate::Toolchain>::compile(cx, request)
                }
                fn link(
                    cx: &$crate::Context,
                    request: &$crate::LinkRequest,
                ) -> Result<(), $crate::Failure> {
                    $crate::__log_panics();
                    <$plugin as $crate::Toolchain>::link(cx, request)
                }
            }
            $crate::__bindings::toolchain::__export_toolchain_role!(
                Exported with_types_in $crate::__bindings::toolchain
            );
        };
    };
}

/// Has a panic say why before it traps: the host puts the last line of the log into its message.
#[doc(hidden)]
pub fn __log_panics() {
    std::panic::set_hook(Box::new(|panic| log(&panic.to_string())));
}

#[doc(hidden)]
pub mod __bindings {
    pub use crate::bindings::{plugin, toolchain};
}
