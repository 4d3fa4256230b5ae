//! `ekiben config`: the settings of a project.

use ekiben_core::Problems;
use ekiben_project::{ExplainRow, Origin, Override, Overrides, Project, explain, published_schema};
use serde_json::{Value, json};

use super::End;
use super::build::print;
use crate::cli::{Config, ConfigFormat};
use crate::report;

/// Runs `ekiben config`.
pub(crate) fn run(config: &Config) -> End {
    if config.format == ConfigFormat::Schema {
        print(&format!("{:#}\n", published_schema()));
        return End::Done;
    }
    let settings = config.config_setting.iter();
    let overrides: Overrides =
        settings.map(|text| Override::parse(text, "--config-setting")).collect();
    let project = match Project::load_with(&config.project, &overrides) {
        Ok(project) => project,
        Err(error) => {
            report::show_problems(&Problems::from(error), &config.project);
            return End::Refused;
        }
    };
    let rows = explain(&project);
    match (config.format, config.explain) {
        (ConfigFormat::Json, _) => {
            let rows: Vec<Value> = rows.iter().map(as_json).collect();
            print(&format!("{:#}\n", Value::from(rows)));
        }
        (_, true) => print(&rows.iter().map(explained).collect::<Vec<_>>().join("\n")),
        (_, false) => print(&rows.iter().filter_map(in_force).collect::<String>()),
    }
    End::Done
}

/// `tool.ekiben.defaults.debug = true`
fn in_force(row: &ExplainRow) -> Option<String> {
    let value = row.value.as_ref()?;
    Some(format!("{} = {value}\n", row.key))
}

fn explained(row: &ExplainRow) -> String {
    let value = row.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    format!("{}{value}  # {}\n    {}\n    takes {}\n", row.key, row.origin, row.doc, row.takes)
}

fn as_json(row: &ExplainRow) -> Value {
    let origin = match &row.origin {
        Origin::Default => json!({ "from": "default" }),
        Origin::File { line, .. } => json!({ "from": "file", "line": line }),
        Origin::Override { source } => json!({ "from": "override", "source": source }),
    };
    json!({
        "key": row.key,
        "value": row.value,
        "origin": origin,
        "takes": row.takes,
        "doc": row.doc,
    })
}
