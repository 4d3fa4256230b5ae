//! Where gfortran's run-time libraries are: asked of gfortran, for drivers that don't know, and for
//! archives, which no driver takes unless it is given them.

use ekiben_plugin::{Context, Diagnostic, Failure, Probe, Tool};

use crate::emit::Identified;
use crate::identify::Family;
use crate::link::{FortranRuntime, Kind};
use crate::program::Program;

/// The shared ones.
pub(crate) fn shared(fortran: &Identified) -> Result<FortranRuntime, Failure> {
    check_family(fortran, "C++ and Fortran in one product")?;
    for suffix in ["so", "dylib", "a"] {
        let path = locate(&fortran.tool, &format!("libgfortran.{suffix}"))?;
        if let Some((folder, _)) = path.as_deref().and_then(|path| path.rsplit_once('/')) {
            let mut quadmath = false;
            for suffix in ["so", "dylib", "a"] {
                quadmath |= locate(&fortran.tool, &format!("libquadmath.{suffix}"))?.is_some();
            }
            return Ok(FortranRuntime::Shared { folder: folder.to_owned(), quadmath });
        }
    }
    Err(Diagnostic::error(
        "compiler-incomplete",
        format!("`{}` has no libgfortran", fortran.tool.program()),
    )
    .with_help(Program::Fc.how_to_install())
    .into())
}

/// The archives. Their content becomes a part of the identity of `driver`, which links them.
pub(crate) fn taken_in(
    cx: &Context,
    fortran: &Identified,
    kind: Kind,
    driver: &Tool,
) -> Result<FortranRuntime, Failure> {
    check_family(fortran, "`fortran-runtime = \"static\"`")?;
    let Some(library) = locate(&fortran.tool, "libgfortran.a")? else {
        return Err(Diagnostic::error(
            "no-static-fortran-runtime",
            format!(
                "`fortran-runtime = \"static\"`: `{}` has no libgfortran.a",
                fortran.tool.program()
            ),
        )
        .with_help(
            "Debian and Ubuntu have it with gfortran, Fedora in the packages `libgfortran-static` \
             and `libquadmath-static`",
        )
        .with_help("or leave the setting out, so that the shared library is used")
        .into());
    };
    let archives: Vec<String> =
        std::iter::once(library).chain(locate(&fortran.tool, "libquadmath.a")?).collect();
    for archive in &archives {
        driver.companion(archive)?;
    }
    if matches!(kind, Kind::ExtensionModule | Kind::SharedLibrary) && !is_for_modules(fortran)? {
        cx.report(&not_for_modules(&fortran.tool.program()));
    }
    Ok(FortranRuntime::Static(archives))
}

fn check_family(fortran: &Identified, what: &str) -> Result<(), Failure> {
    if fortran.compiler.family == Family::Gcc {
        return Ok(());
    }
    let program = fortran.tool.program();
    Err(Failure::Unsupported(format!("{what} with `{program}`, which isn't gfortran")))
}

/// The path of a library's file: the driver echoes a name that it can't find.
fn locate(driver: &Tool, file: &str) -> Result<Option<String>, Failure> {
    locate_by(&driver.probe(), file)
}

/// As [`locate`], for what isn't the compiler's own, so that it may come and go.
pub(crate) fn locate_now(driver: &Tool, file: &str) -> Result<Option<String>, Failure> {
    let probe = driver.probe();
    probe.anew();
    locate_by(&probe, file)
}

fn locate_by(probe: &Probe, file: &str) -> Result<Option<String>, Failure> {
    probe.argument(&format!("-print-file-name={file}"));
    let answer = probe.query()?;
    let path = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    Ok(path.starts_with('/').then_some(path))
}

/// Whether all of `libgfortran.a` can be a part of a shared object. Input and output is what most of
/// it is for, and is where it fails.
fn is_for_modules(fortran: &Identified) -> Result<bool, Failure> {
    let probe = fortran.tool.probe();
    probe.file("x.f90", b"subroutine x()\n  print *, 1\nend subroutine\n");
    for argument in ["-shared", "-fPIC", "-static-libgfortran", "x.f90", "-o", "x.so"] {
        probe.argument(argument);
    }
    probe.environment("PATH", &fortran.path);
    Ok(probe.query()?.status == Some(0))
}

fn not_for_modules(program: &str) -> Diagnostic {
    Diagnostic::warning(
        "fortran-runtime-in-part",
        format!(
            "not all of the libgfortran.a of `{program}` can be a part of a module: it wasn't compiled \
             with `-fPIC`"
        ),
    )
    .with_help(
        "code that reads, writes, allocates or checks at run time can't be linked with it: the linker \
         then says `recompile with -fPIC`",
    )
    .with_help(
        "use `fortran-runtime = \"shared\"`, or choose by FC a gfortran whose libgfortran.a was",
    )
}
