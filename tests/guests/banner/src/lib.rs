//! A well-behaved plugin, with a bit of everything that plugins do: it is the example of
//! `docs/plugins.md`, and what the host's tests run to see results cached, ordered and explained.
//!
//! `generate` writes a C file with a greeting into every product, from a template in the project;
//! `shout` has a process turn the greetings to capitals, and `count`, which always follows it, reads
//! what that process made.

use ekiben_plugin::{Context, Diagnostic, Failure, Plugin, Registration};
use serde::Deserialize;

/// The plugin.
pub struct Banner;

/// `[tool.ekiben.options.banner]`. The host has filled in the defaults.
#[derive(Debug, Deserialize)]
struct Options {
    greeting: String,
    template: String,
}

const OPTIONS: &str = r#"{
    "type": "object",
    "properties": {
        "greeting": {
            "type": "string",
            "default": "Hello",
            "description": "What the banner says first"
        },
        "template": {
            "type": "string",
            "default": "banner.c.in",
            "description": "The C file to fill in, with @{greeting}, @{user} and @{product}"
        }
    },
    "additionalProperties": false
}"#;

impl Plugin for Banner {
    fn describe(to: &Registration) {
        to.identity("banner", "1.0.0", "Writes a greeting into every extension module");
        to.options(OPTIONS);
        to.capability("read:source");
        to.capability("env:BANNER_USER");
        to.tool("shell").candidate("sh");

        let generate = to.command("generate", "write a C file with the greeting");
        generate.produces("generated-source");
        generate.before("compile");

        let shout = to.command("shout", "write the greetings in capitals");
        shout.consumes("generated-source");
        shout.produces("banner-text");
        shout.required_after("generate");

        let count = to.command("count", "count the letters of the capitals");
        count.consumes("banner-text");
        count.produces("banner-count");
        count.required_after("shout");
        count.after("no-such-command?");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "generate" => generate(cx),
            "shout" => shout(cx),
            "count" => count(cx),
            _ => Err(Failure::Internal(format!("there is no command `{command}`"))),
        }
    }
}

ekiben_plugin::export_plugin!(Banner);

fn generate(cx: &Context) -> Result<(), Failure> {
    let options = options(cx)?;
    let template = cx.source_tree()?.read(&options.template)?;
    let template = String::from_utf8_lossy(&template);
    let user = match cx.environment("BANNER_USER")? {
        Some(user) => user,
        None => {
            cx.report(
                &Diagnostic::warning("nobody", "the banner greets nobody in particular")
                    .with_help("set the environment variable BANNER_USER"),
            );
            "traveller".to_owned()
        }
    };
    for product in cx.products() {
        let name = product.name();
        let text = fill(&template, &options, &user, &name)?;
        cx.write(&format!("banner/{name}.c"), "generated-source", Some(&name), text.as_bytes())?;
    }
    Ok(())
}

fn options(cx: &Context) -> Result<Options, Failure> {
    serde_json::from_str(&cx.options())
        .map_err(|error| Failure::Internal(format!("the options don't fit their schema: {error}")))
}

/// Fills in the template. A mistake in it is the user's, and has a place.
fn fill(
    template: &str,
    options: &Options,
    user: &str,
    product: &str,
) -> Result<String, Diagnostic> {
    let mut text = String::new();
    for (number, line) in (1..).zip(template.lines()) {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("@{") {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                let column = u32::try_from(line.len() - rest.len() + before.len() + 1);
                return Err(Diagnostic::error("unfinished-placeholder", "`@{` has no `}`")
                    .at(&options.template, number, column.unwrap_or(1))
                    .with_help("write @{greeting}, @{user} or @{product}"));
            };
            text.push_str(match name {
                "greeting" => &options.greeting,
                "user" => user,
                "product" => product,
                _ => "",
            });
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
    }
    Ok(text)
}

fn shout(cx: &Context) -> Result<(), Failure> {
    let shell = cx.tool("shell")?;
    let probe = shell.probe();
    probe.argument("-c");
    probe.argument("echo POSIX");
    let answer = probe.query()?;
    shell.version(String::from_utf8_lossy(&answer.stdout).trim());
    for source in cx.artifacts("generated-source")? {
        let Some(product) = source.product() else { continue };
        let capitals =
            cx.output(&format!("banner/{product}.txt"), "banner-text", Some(&product))?;
        let action = cx.action("Shout", &shell);
        action.description(&format!("shout for {product}"));
        action.environment("PATH", "/usr/bin:/bin");
        action.text("-c");
        action.text("tr a-z A-Z <\"$1\" >\"$2\"");
        action.text("shout");
        action.input("", &source, "");
        action.output("", &capitals, "");
        ekiben_plugin::Action::submit(action)?;
    }
    Ok(())
}

fn count(cx: &Context) -> Result<(), Failure> {
    for text in cx.artifacts("banner-text")? {
        let product = text.product().unwrap_or_default();
        // Waits for the process that makes it.
        let letters = text.read()?.iter().filter(|byte| byte.is_ascii_uppercase()).count();
        let path = format!("banner/{product}.count");
        cx.write(&path, "banner-count", Some(&product), letters.to_string().as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { greeting: "Good day".into(), template: "b.in".into() }
    }

    #[test]
    fn placeholders_are_filled_in() {
        let text = fill("/* @{greeting},\n@{user}: @{product} */", &options(), "Ada", "spam");
        assert_eq!(text.unwrap(), "/* Good day,\nAda: spam */\n");
    }

    #[test]
    fn an_unfinished_placeholder_has_a_place() {
        let error = fill("\nx @{user} @{oops\n", &options(), "Ada", "spam").unwrap_err();
        let at = error.at.unwrap();
        assert_eq!((at.path.as_str(), at.line, at.column), ("b.in", 2, 11));
    }

    #[test]
    fn the_schema_is_json() {
        let schema: serde_json::Value = serde_json::from_str(OPTIONS).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let defaults: Options = serde_json::from_value(
            properties.iter().map(|(key, one)| (key.clone(), one["default"].clone())).collect(),
        )
        .unwrap();
        assert_eq!(defaults.greeting, "Hello");
        assert_eq!(defaults.template, "banner.c.in");
    }
}
