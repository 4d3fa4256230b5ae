//! A plugin that has a service of the host make programs, of which the tests know what must be in them.
//!
//! Its option `does` has it do one thing otherwise: something that isn't allowed, or that the build must
//! notice.

use ekiben_plugin::{Action, Context, Failure, Location, Plugin, Registration};

/// The plugin.
pub struct Press;

/// The service, and one that no build has.
const SERVICE: &str = "press";
const NOWHERE: &str = "nowhere";

impl Plugin for Press {
    fn describe(to: &Registration) {
        to.identity("press", "1.0.0", "Has programs pressed");
        to.options(
            r#"{
                "type": "object",
                "properties": { "does": { "type": "string", "default": "well" } },
                "additionalProperties": false
            }"#,
        );
        for service in [SERVICE, NOWHERE] {
            to.capability(&format!("service:{service}"));
        }
        let press = to.command("press", "have programs pressed");
        press.makes("executable");
        for kind in ["module-file", "metadata"] {
            press.consumes(kind);
        }
        for kind in ["platform", "executable"] {
            press.produces(kind);
        }
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        if command != "press" {
            return Err(Failure::Internal(format!("there is no command `{command}`")));
        }
        let options: serde_json::Value = serde_json::from_str(&cx.options())
            .map_err(|error| Failure::Internal(error.to_string()))?;
        let does = options["does"].as_str().unwrap_or_default();
        if !ekiben_plugin::has("services") || ekiben_plugin::has("magic") {
            return Err(Failure::Internal("the host has no services, or magic".to_owned()));
        }
        let asked = match does {
            "ask-undeclared" => cx.ask("program", "{}"),
            "ask-nowhere" => cx.ask(NOWHERE, "{}"),
            "ask-nonsense" => cx.ask(SERVICE, "{"),
            _ => cx.ask(SERVICE, r#"{"what": "ink"}"#),
        }?;
        for product in cx.products() {
            if product.kind() != "executable" {
                continue;
            }
            if does != "no-platform" {
                product.platform("linux_press")?;
            }
            let place =
                product.setting_place("python").map(|at| format!("{}:{}", at.path, at.line));
            let plan = serde_json::json!({
                "ink": asked,
                "calls": product.setting("entry-point"),
                "place": place,
                "does": does,
            });
            let plan = if does == "plan-nonsense" { "{".to_owned() } else { plan.to_string() };
            let action = cx.service_action("Press", SERVICE, &plan)?;
            action.description(&format!("press {}", product.name()));
            for (path, file) in cx.installed_files()? {
                action.input(&path, &file, "");
            }
            match does {
                "text" => action.text("-v"),
                "place" => action.place("", &Location::Source(String::new()), ""),
                "environment" => action.environment("HOME", "/"),
                "anew" => action.anew(),
                _ => {}
            }
            let path = format!("pressed/{}", product.name());
            let program = cx.output(&path, "executable", Some(&product.name()))?;
            if does != "no-output" {
                action.output("program", &program, "");
            } else {
                action.makes(&program);
            }
            if does != "nothing" {
                Action::submit(action)?;
            }
        }
        Ok(())
    }
}

ekiben_plugin::export_plugin!(Press);
