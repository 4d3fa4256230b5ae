//! What `wit-bindgen` makes of the WIT package: one module a role, which share the
//! imports' types. A component that has both roles exports both worlds, which together are
//! `toolchain-plugin`.
#![allow(unsafe_code, missing_docs, unreachable_pub, unused_qualifications, clippy::all)]

pub mod plugin {
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "__export_plugin",
        default_bindings_module: "ekiben_plugin::__bindings::plugin",
        additional_derives: [PartialEq, Eq],
        generate_all,
    });
}

pub mod toolchain {
    wit_bindgen::generate!({
        path: "wit",
        world: "toolchain-role",
        pub_export_macro: true,
        export_macro_name: "__export_toolchain_role",
        default_bindings_module: "ekiben_plugin::__bindings::toolchain",
        with: {
            "ekiben:plugin/types@0.1.0": super::plugin::ekiben::plugin::types,
            "ekiben:plugin/host@0.1.0": super::plugin::ekiben::plugin::host,
        },
    });
}
