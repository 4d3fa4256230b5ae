//! Which package of a system brings a library's `.pc` file.
//!
//! Fedora, openSUSE and Alpine index packages by the `.pc` files in them, so any name can be asked
//! for there. The others' packages have names of their own: a table of usual ones. Source: the
//! packages' file lists of Debian 12, Arch Linux and Homebrew.

/// A family of systems with one package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Alpine,
    Arch,
    Debian,
    Fedora,
    Homebrew,
    OpenSuse,
}

/// A library: the name of its `.pc` file, then Debian's, Arch's and Homebrew's packages. An empty
/// text: the system has none, or brings it along.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// Sorted by the first column.
const PACKAGES: &[Row] = &[
    ("RapidJSON", "rapidjson-dev", "rapidjson", "rapidjson"),
    ("alsa", "libasound2-dev", "alsa-lib", ""),
    ("arrow", "", "arrow", "apache-arrow"),
    ("blas", "libblas-dev", "blas", ""),
    ("bzip2", "", "bzip2", "bzip2"),
    ("cairo", "libcairo2-dev", "cairo", "cairo"),
    ("capnp", "libcapnp-dev", "capnproto", "capnp"),
    ("cfitsio", "libcfitsio-dev", "cfitsio", "cfitsio"),
    ("dbus-1", "libdbus-1-dev", "dbus", "dbus"),
    ("eigen3", "libeigen3-dev", "eigen", "eigen"),
    ("expat", "libexpat1-dev", "expat", "expat"),
    ("fftw3", "libfftw3-dev", "fftw", "fftw"),
    ("fftw3f", "libfftw3-dev", "fftw", "fftw"),
    ("fftw3l", "libfftw3-dev", "fftw", "fftw"),
    ("flac", "libflac-dev", "flac", "flac"),
    ("fmt", "libfmt-dev", "fmt", "fmt"),
    ("fontconfig", "libfontconfig-dev", "fontconfig", "fontconfig"),
    ("freetype2", "libfreetype-dev", "freetype2", "freetype"),
    ("fribidi", "libfribidi-dev", "fribidi", "fribidi"),
    ("fuse", "libfuse-dev", "fuse2", ""),
    ("fuse3", "libfuse3-dev", "fuse3", ""),
    ("gdal", "libgdal-dev", "gdal", "gdal"),
    ("gdk-pixbuf-2.0", "libgdk-pixbuf-2.0-dev", "gdk-pixbuf2", "gdk-pixbuf"),
    ("geos", "libgeos-dev", "geos", "geos"),
    ("gio-2.0", "libglib2.0-dev", "glib2", "glib"),
    ("glew", "libglew-dev", "glew", "glew"),
    ("glfw3", "libglfw3-dev", "glfw", "glfw"),
    ("glib-2.0", "libglib2.0-dev", "glib2", "glib"),
    ("gmp", "libgmp-dev", "gmp", "gmp"),
    ("gnutls", "libgnutls28-dev", "gnutls", "gnutls"),
    ("gobject-2.0", "libglib2.0-dev", "glib2", "glib"),
    (
        "gobject-introspection-1.0",
        "libgirepository1.0-dev",
        "gobject-introspection",
        "gobject-introspection",
    ),
    ("grpc", "libgrpc-dev", "grpc", "grpc"),
    ("grpc++", "libgrpc++-dev", "grpc", "grpc"),
    ("gsl", "libgsl-dev", "gsl", "gsl"),
    ("gstreamer-1.0", "libgstreamer1.0-dev", "gstreamer", "gstreamer"),
    ("gtk+-3.0", "libgtk-3-dev", "gtk3", "gtk+3"),
    ("gtk4", "libgtk-4-dev", "gtk4", "gtk4"),
    ("harfbuzz", "libharfbuzz-dev", "harfbuzz", "harfbuzz"),
    ("hdf5", "libhdf5-dev", "hdf5", "hdf5"),
    ("hiredis", "libhiredis-dev", "hiredis", "hiredis"),
    ("hwloc", "libhwloc-dev", "hwloc", "hwloc"),
    ("icu-i18n", "libicu-dev", "icu", "icu4c"),
    ("icu-uc", "libicu-dev", "icu", "icu4c"),
    ("jansson", "libjansson-dev", "jansson", "jansson"),
    ("json-c", "libjson-c-dev", "json-c", "json-c"),
    ("jsoncpp", "libjsoncpp-dev", "jsoncpp", "jsoncpp"),
    ("krb5", "libkrb5-dev", "krb5", "krb5"),
    ("krb5-gssapi", "libkrb5-dev", "krb5", "krb5"),
    ("lapack", "liblapack-dev", "lapack", "lapack"),
    ("lapacke", "liblapacke-dev", "lapacke", "lapack"),
    ("lcms2", "liblcms2-dev", "lcms2", "little-cms2"),
    ("libarchive", "libarchive-dev", "libarchive", "libarchive"),
    ("libavcodec", "libavcodec-dev", "ffmpeg", "ffmpeg"),
    ("libavformat", "libavformat-dev", "ffmpeg", "ffmpeg"),
    ("libavutil", "libavutil-dev", "ffmpeg", "ffmpeg"),
    ("libbrotlicommon", "libbrotli-dev", "brotli", "brotli"),
    ("libbrotlidec", "libbrotli-dev", "brotli", "brotli"),
    ("libbrotlienc", "libbrotli-dev", "brotli", "brotli"),
    ("libcap", "libcap-dev", "libcap", ""),
    ("libcares", "libc-ares-dev", "c-ares", "c-ares"),
    ("libcrypto", "libssl-dev", "openssl", "openssl"),
    ("libcurl", "libcurl4-openssl-dev", "curl", "curl"),
    ("libdeflate", "libdeflate-dev", "libdeflate", "libdeflate"),
    ("libdrm", "libdrm-dev", "libdrm", ""),
    ("libedit", "libedit-dev", "libedit", "libedit"),
    ("libev", "libev-dev", "libev", "libev"),
    ("libevent", "libevent-dev", "libevent", "libevent"),
    ("libffi", "libffi-dev", "libffi", "libffi"),
    ("libgit2", "libgit2-dev", "libgit2", "libgit2"),
    ("libheif", "libheif-dev", "libheif", "libheif"),
    ("libjpeg", "libjpeg-dev", "libjpeg-turbo", "jpeg-turbo"),
    ("liblz4", "liblz4-dev", "lz4", "lz4"),
    ("liblzma", "liblzma-dev", "xz", "xz"),
    ("libmagic", "libmagic-dev", "file", "libmagic"),
    ("libmariadb", "libmariadb-dev", "mariadb-libs", "mariadb-connector-c"),
    ("libnghttp2", "libnghttp2-dev", "libnghttp2", "libnghttp2"),
    ("libopenjp2", "libopenjp2-7-dev", "openjpeg2", "openjpeg"),
    ("libpcap", "libpcap-dev", "libpcap", "libpcap"),
    ("libpcre", "libpcre3-dev", "pcre", "pcre"),
    ("libpcre2-8", "libpcre2-dev", "pcre2", "pcre2"),
    ("libpng", "libpng-dev", "libpng", "libpng"),
    ("libpq", "libpq-dev", "postgresql-libs", "libpq"),
    ("libpulse", "libpulse-dev", "libpulse", "pulseaudio"),
    ("libraw", "libraw-dev", "libraw", "libraw"),
    ("libsecret-1", "libsecret-1-dev", "libsecret", "libsecret"),
    ("libsodium", "libsodium-dev", "libsodium", "libsodium"),
    ("libssh2", "libssh2-1-dev", "libssh2", "libssh2"),
    ("libssl", "libssl-dev", "openssl", "openssl"),
    ("libsystemd", "libsystemd-dev", "systemd-libs", ""),
    ("libtiff-4", "libtiff-dev", "libtiff", "libtiff"),
    ("libudev", "libudev-dev", "systemd-libs", ""),
    ("liburing", "liburing-dev", "liburing", ""),
    ("libusb-1.0", "libusb-1.0-0-dev", "libusb", "libusb"),
    ("libuv", "libuv1-dev", "libuv", "libuv"),
    ("libwebp", "libwebp-dev", "libwebp", "webp"),
    ("libxml-2.0", "libxml2-dev", "libxml2", "libxml2"),
    ("libxslt", "libxslt1-dev", "libxslt", "libxslt"),
    ("libxxhash", "libxxhash-dev", "xxhash", "xxhash"),
    ("libzip", "libzip-dev", "libzip", "libzip"),
    ("libzmq", "libzmq3-dev", "zeromq", "zeromq"),
    ("libzstd", "libzstd-dev", "zstd", "zstd"),
    ("mpfr", "libmpfr-dev", "mpfr", "mpfr"),
    ("mysqlclient", "default-libmysqlclient-dev", "", "mysql-client"),
    ("ncurses", "libncurses-dev", "ncurses", "ncurses"),
    ("ncursesw", "libncurses-dev", "ncurses", "ncurses"),
    ("netcdf", "libnetcdf-dev", "netcdf", "netcdf"),
    ("nettle", "nettle-dev", "nettle", "nettle"),
    ("odbc", "unixodbc-dev", "unixodbc", "unixodbc"),
    ("ogg", "libogg-dev", "libogg", "libogg"),
    ("ompi", "libopenmpi-dev", "openmpi", "open-mpi"),
    ("openblas", "libopenblas-dev", "openblas", "openblas"),
    ("opencv4", "libopencv-dev", "opencv", "opencv"),
    ("openssl", "libssl-dev", "openssl", "openssl"),
    ("opus", "libopus-dev", "opus", "opus"),
    ("pango", "libpango1.0-dev", "pango", "pango"),
    ("portaudio-2.0", "portaudio19-dev", "portaudio", "portaudio"),
    ("proj", "libproj-dev", "proj", "proj"),
    ("protobuf", "libprotobuf-dev", "protobuf", "protobuf"),
    ("readline", "libreadline-dev", "readline", "readline"),
    ("sdl2", "libsdl2-dev", "sdl2-compat", "sdl2"),
    ("snappy", "libsnappy-dev", "snappy", "snappy"),
    ("sndfile", "libsndfile1-dev", "libsndfile", "libsndfile"),
    ("spdlog", "libspdlog-dev", "spdlog", "spdlog"),
    ("sqlite3", "libsqlite3-dev", "sqlite", "sqlite"),
    ("tbb", "libtbb-dev", "onetbb", "tbb"),
    ("uuid", "uuid-dev", "util-linux-libs", "ossp-uuid"),
    ("vorbis", "libvorbis-dev", "libvorbis", "libvorbis"),
    ("vulkan", "libvulkan-dev", "vulkan-icd-loader", "vulkan-loader"),
    ("wayland-client", "libwayland-dev", "wayland", ""),
    ("x11", "libx11-dev", "libx11", "libx11"),
    ("xcb", "libxcb1-dev", "libxcb", "libxcb"),
    ("xext", "libxext-dev", "libxext", "libxext"),
    ("xmlsec1", "libxmlsec1-dev", "xmlsec", "libxmlsec1"),
    ("xrandr", "libxrandr-dev", "libxrandr", "libxrandr"),
    ("yaml-0.1", "libyaml-dev", "libyaml", "libyaml"),
    ("yaml-cpp", "libyaml-cpp-dev", "yaml-cpp", "yaml-cpp"),
    ("zlib", "zlib1g-dev", "zlib", "zlib"),
];

/// pkg-config's own package, for each system.
const PKG_CONFIG: [(System, &str); 6] = [
    (System::Debian, "apt-get install pkg-config"),
    (System::Fedora, "dnf install pkgconf-pkg-config"),
    (System::OpenSuse, "zypper install pkgconf-pkg-config"),
    (System::Alpine, "apk add pkgconf"),
    (System::Arch, "pacman -S pkgconf"),
    (System::Homebrew, "brew install pkgconf"),
];

impl System {
    const ALL: [Self; 6] =
        [Self::Debian, Self::Fedora, Self::OpenSuse, Self::Alpine, Self::Arch, Self::Homebrew];

    /// The one that these words name: `ID` and `ID_LIKE` of os-release, or a system's name.
    pub(crate) fn from_words(words: &str) -> Option<Self> {
        words.split_whitespace().find_map(|word| match word {
            "alpine" | "postmarketos" => Some(Self::Alpine),
            "arch" | "archlinux" | "manjaro" => Some(Self::Arch),
            "debian" | "ubuntu" | "linuxmint" | "raspbian" => Some(Self::Debian),
            "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn" | "ol" => {
                Some(Self::Fedora)
            }
            "darwin" | "macos" => Some(Self::Homebrew),
            _ if word == "suse" || word == "sles" || word.starts_with("opensuse") => {
                Some(Self::OpenSuse)
            }
            _ => None,
        })
    }

    fn title(self) -> &'static str {
        match self {
            Self::Alpine => "Alpine",
            Self::Arch => "Arch",
            Self::Debian => "Debian, Ubuntu",
            Self::Fedora => "Fedora, RHEL",
            Self::Homebrew => "macOS",
            Self::OpenSuse => "openSUSE",
        }
    }

    /// The command that installs the library whose `.pc` file has this name, if it is known.
    fn install(self, name: &str) -> Option<String> {
        let row = || PACKAGES.binary_search_by_key(&name, |row| row.0).ok().map(|at| PACKAGES[at]);
        let (command, package) = match self {
            Self::Alpine => return Some(format!("apk add pc:{name}")),
            Self::Fedora => return Some(format!("dnf install 'pkgconfig({name})'")),
            Self::OpenSuse => return Some(format!("zypper install 'pkgconfig({name})'")),
            Self::Debian => ("apt-get install", row()?.1),
            Self::Arch => ("pacman -S", row()?.2),
            Self::Homebrew => ("brew install", row()?.3),
        };
        (!package.is_empty()).then(|| format!("{command} {package}"))
    }
}

/// How to install a library: a sentence for this system, or for each if it isn't known.
pub(crate) fn how_to_install(name: &str, here: Option<System>) -> Vec<String> {
    if let Some(system) = here {
        return vec![match (system.install(name), system) {
            (Some(command), _) => format!("install it: `{command}`"),
            (None, System::Debian) => {
                format!("`apt-file search --regexp '/{name}\\.pc$'` names the package to install")
            }
            (None, System::Arch) => {
                format!("`pacman -F {name}.pc` names the package to install")
            }
            (None, _) => "install it with its development files".to_owned(),
        }];
    }
    let known = System::ALL
        .into_iter()
        .filter_map(|system| Some(format!("`{}` ({})", system.install(name)?, system.title())));
    vec![format!("install it: {}", known.collect::<Vec<_>>().join(", "))]
}

/// How to install pkg-config itself.
pub(crate) fn how_to_install_pkg_config(here: Option<System>) -> String {
    let fitting = PKG_CONFIG.iter().filter(|(system, _)| here.is_none_or(|here| here == *system));
    let commands: Vec<_> =
        fitting.map(|(system, command)| format!("`{command}` ({})", system.title())).collect();
    format!("get it with {}, or `conda install -c conda-forge pkg-config`", commands.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_names_are_packages() {
        assert!(PACKAGES.is_sorted_by(|a, b| a.0 < b.0), "binary search needs it");
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        for (pc, debian, arch, homebrew) in PACKAGES {
            assert!(!pc.is_empty());
            for package in [debian, arch, homebrew] {
                assert!(package.chars().all(fits), "{pc}: {package}");
            }
            let one = [debian, arch, homebrew].into_iter().any(|package| !package.is_empty());
            assert!(one, "{pc} has no package at all");
        }
        for system in System::ALL {
            assert!(PKG_CONFIG.iter().any(|(known, _)| *known == system), "{system:?}");
        }
    }

    #[test]
    fn the_words_of_os_release_name_a_system() {
        assert_eq!(System::from_words("debian"), Some(System::Debian));
        assert_eq!(System::from_words("neon ubuntu debian"), Some(System::Debian));
        assert_eq!(System::from_words("rocky rhel centos fedora"), Some(System::Fedora));
        assert_eq!(System::from_words("opensuse-tumbleweed opensuse suse"), Some(System::OpenSuse));
        assert_eq!(System::from_words("nixos"), None);
    }

    #[test]
    fn the_system_at_hand_is_named_alone() {
        assert_eq!(
            how_to_install("zlib", Some(System::Debian)),
            ["install it: `apt-get install zlib1g-dev`"]
        );
        assert_eq!(
            how_to_install("rare", Some(System::Fedora)),
            ["install it: `dnf install 'pkgconfig(rare)'`"]
        );
        assert!(how_to_install("rare", Some(System::Debian))[0].contains("apt-file search"));
        let all = how_to_install("zlib", None).remove(0);
        for part in ["zlib1g-dev", "'pkgconfig(zlib)'", "pc:zlib", "pacman -S zlib", "brew"] {
            assert!(all.contains(part), "{all}");
        }
        assert!(how_to_install_pkg_config(Some(System::Alpine)).contains("apk add pkgconf"));
    }
}
