//! The platforms that a program runs on, as the tags of wheels name them (PEP 600, PEP 656).

/// The oldest version of glibc that a tag can ask for on every architecture.
const OLDEST: (u32, u32) = (2, 17);

/// The tags of a program for `architecture` that holds all it needs.
pub(crate) fn of_static(architecture: &str) -> Vec<String> {
    let tags = ["manylinux_2_17", "manylinux2014", "musllinux_1_1"];
    tags.iter().map(|tag| format!("{tag}_{architecture}")).collect()
}

/// The tags of a program that takes a C library from the machine: glibc of this version or later, or
/// another one.
pub(crate) fn of_dynamic(architecture: &str, glibc: Option<&str>) -> Vec<String> {
    let Some((major, minor)) = glibc.and_then(version) else {
        return vec![format!("linux_{architecture}")];
    };
    let (major, minor) = (major, minor).max(OLDEST);
    let mut tags = vec![format!("manylinux_{major}_{minor}_{architecture}")];
    if (major, minor) == OLDEST {
        tags.push(format!("manylinux2014_{architecture}"));
    }
    tags
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_say_what_is_needed() {
        let dynamic = |glibc| of_dynamic("x86_64", glibc).join(".");
        assert_eq!(
            of_static("aarch64").join("."),
            "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"
        );
        assert_eq!(dynamic(Some("2.36")), "manylinux_2_36_x86_64");
        assert_eq!(dynamic(Some("2.4")), "manylinux_2_17_x86_64.manylinux2014_x86_64");
        assert_eq!(dynamic(None), "linux_x86_64");
    }
}
