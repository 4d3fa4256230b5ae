//! Between the host and the plan: reads the installed NumPy, and tells products what follows.

use ekiben_plugin::{Context, Distribution, Failure, Location, Product};

use crate::bound;
use crate::header::Header;
use crate::plan::{self, Installed, Options, Plan, Word};

/// The installed NumPy.
struct Numpy {
    distribution: Distribution,
    installed: Installed,
    include: Location,
}

impl Numpy {
    /// Nothing if it isn't installed.
    fn find(cx: &Context) -> Result<Option<Self>, Failure> {
        let Some(distribution) = cx.distribution("numpy")? else { return Ok(None) };
        let version = distribution.version();
        for core in plan::CORES {
            let header = format!("{core}/include/numpy/numpyconfig.h");
            let include = distribution.find(&format!("{core}/include"))?;
            let (Some(include), Some(_)) = (include, distribution.find(&header)?) else { continue };
            let text = distribution.read(&header)?;
            let header = Header::parse(&String::from_utf8_lossy(&text));
            let installed = Installed { version, header };
            return Ok(Some(Self { distribution, installed, include }));
        }
        Err(plan::no_headers(&version).into())
    }

    fn library(&self, word: Word, library: &str) -> Result<Location, Failure> {
        for file in plan::library_files(library) {
            if let Some(at) = self.distribution.find(&file)? {
                return Ok(at);
            }
        }
        Err(plan::no_library(&self.installed.version, word, library).into())
    }

    fn contribute(&self, product: &Product, words: &[Word], plan: &Plan) -> Result<(), Failure> {
        product.include_directory(&self.include)?;
        for (name, value) in &plan.definitions {
            product.define(name, Some(value))?;
        }
        let mut linked: Vec<&str> = Vec::new();
        // Random numbers come first, since they need the mathematics.
        for word in words.iter().rev() {
            for library in word.libraries() {
                if !linked.contains(library) {
                    product.link_file(&self.library(*word, library)?)?;
                    linked.push(library);
                }
            }
            product.answer(word.text())?;
        }
        if !linked.is_empty() {
            product.link_library("m")?;
        }
        Ok(())
    }
}

/// The command: serves all products that use NumPy.
pub(crate) fn find(cx: &Context) -> Result<(), Failure> {
    let mut users = Vec::new();
    for product in cx.products() {
        let used = texts(product.setting("uses"), "uses")?;
        let words: Vec<Word> = Word::ALL
            .into_iter()
            .filter(|word| used.iter().any(|text| text == word.text()))
            .collect();
        if !words.is_empty() {
            users.push((product, words));
        }
    }
    let Some((first, words)) = users.first() else { return Ok(()) };
    let Some(numpy) = Numpy::find(cx)? else {
        return Err(plan::not_installed(&first.name(), words[0].text()).into());
    };
    let options = Options::read(&cx.options())?;
    let limited_api = users.iter().any(|(product, _)| uses_limited_api(product));
    let plan = numpy.installed.plan(&options, limited_api)?;
    for (product, words) in &users {
        numpy.contribute(product, words, &plan)?;
    }
    cx.require(&plan.requirement())?;
    let dependencies = texts(cx.fact("project.dependencies"), "project.dependencies")?;
    let bound = bound::check(&dependencies, &plan, &numpy.installed.version);
    for report in plan.reports.iter().chain(&bound) {
        cx.report(report);
    }
    Ok(())
}

/// A setting or fact that is a JSON array of strings.
fn texts(json: Option<String>, what: &str) -> Result<Vec<String>, Failure> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str(&json)
        .map_err(|error| Failure::Internal(format!("{what} is no list of strings: {error}")))
}

fn uses_limited_api(product: &Product) -> bool {
    product.setting("limited-api").is_some_and(|value| value != "false")
}
