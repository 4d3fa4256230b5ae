//! The version of glibc that a program needs.

/// The newest version of glibc among those that a binary asks of its libraries, `GLIBC_2.36` and the
/// like.
pub(crate) fn newest(versions: &[(String, String)]) -> Option<(u32, u32)> {
    let numbers = |version: &str| {
        let (major, minor) = version.strip_prefix("GLIBC_")?.split_once('.')?;
        // A third number, as 2.2.5 has, makes no difference to tags.
        let minor = minor.split('.').next().unwrap_or(minor);
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    versions.iter().filter_map(|(_, version)| numbers(version)).max()
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let versions = ["GLIBC_2.2.5", "GLIBC_2.36", "GLIBC_2.4", "GLIBC_PRIVATE", "GCC_3.0"];
        let versions = versions.map(|version| ("libc.so.6".to_owned(), version.to_owned()));
        assert_eq!(newest(&versions), Some((2, 36)));
        assert_eq!(newest(&[]), None);
    }
}
