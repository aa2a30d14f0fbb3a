//! Finds and compiles what the `native` feature needs; does nothing without it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "native")]
    native::build();
}

#[cfg(feature = "native")]
mod native {
    use std::env;
    use std::fmt::Display;
    use std::path::{Path, PathBuf};
    use std::process::{Command, exit};

    /// All of `csrc/`. Listed by name: what is not here is not compiled, nor packaged unseen.
    const SOURCES: [&str; 1] = ["csrc/scan.c"];
    const HEADERS: [&str; 1] = ["csrc/contract.h"];

    /// Names a prefix with `include/` and `lib/`, in place of what pkg-config would find.
    const DIR_VARIABLE: &str = "DRAGNET_LIBHS_DIR";
    /// Set to 1, turns warnings of the C compiler into errors.
    const WERROR_VARIABLE: &str = "DRAGNET_CC_WERROR";

    /// The library as the compiler and the linker are told of it.
    struct Library {
        includes: Vec<PathBuf>,
        link_paths: Vec<PathBuf>,
        libs: Vec<String>,
    }

    pub(super) fn build() {
        declare_sources();
        let library = match variable(DIR_VARIABLE) {
            Some(dir) => in_directory(Path::new(&dir)),
            None => by_pkg_config(),
        };
        compile(&library);
        check_link(&library);
    }

    fn declare_sources() {
        // The folder too, so that a new file in it is noticed.
        println!("cargo::rerun-if-changed=csrc");
        for file in SOURCES.iter().chain(&HEADERS) {
            println!("cargo::rerun-if-changed={file}");
        }
    }

    /// The value of a variable of ours, which is declared to cargo; `None` if unset or empty.
    fn variable(name: &str) -> Option<String> {
        println!("cargo::rerun-if-env-changed={name}");
        env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// The library under a prefix that the user names.
    fn in_directory(dir: &Path) -> Library {
        let include = ["include/hs", "include"]
            .map(|sub| dir.join(sub))
            .into_iter()
            .find(|path| path.join("hs.h").is_file())
            .unwrap_or_else(|| {
                fail(
                    format!("{DIR_VARIABLE}={} has no include/hs/hs.h", dir.display()),
                    "it must name the prefix that libhs was installed to",
                )
            });
        let header = include.join("hs.h");
        println!("cargo::rerun-if-changed={}", header.display());
        check_header_version(&header);

        let mut found = None;
        // Debian keeps libraries in a folder for each architecture.
        let debian = format!("lib/{}-linux-gnu", target("ARCH"));
        for sub in ["lib", "lib64", &debian] {
            for (file, kind) in [
                ("libhs.so", "dylib"),
                ("libhs.dylib", "dylib"),
                ("libhs.a", "static"),
                ("hs.lib", "dylib"),
            ] {
                let path = dir.join(sub).join(file);
                println!("cargo::rerun-if-changed={}", path.display());
                if found.is_none() && path.is_file() {
                    found = Some((dir.join(sub), kind));
                }
            }
        }
        let Some((lib, kind)) = found else {
            fail(
                format!("{DIR_VARIABLE}={} has no libhs in lib/ or lib64/", dir.display()),
                "build libhs there, as a shared or a static library",
            )
        };
        println!("cargo::rustc-link-search=native={}", lib.display());
        println!("cargo::rustc-link-lib={kind}=hs");
        let mut libs = vec!["hs".to_owned()];
        if kind == "static" {
            let runtime = cxx_runtime();
            println!("cargo::rustc-link-lib={runtime}");
            libs.extend([runtime.to_owned(), "m".to_owned()]);
        }
        Library { includes: vec![include], link_paths: vec![lib], libs }
    }

    /// The C++ runtime that a static libhs needs; a shared one brings it along.
    fn cxx_runtime() -> &'static str {
        match target("OS").as_str() {
            "macos" | "ios" | "freebsd" | "openbsd" => "c++",
            _ => "stdc++",
        }
    }

    fn check_header_version(header: &Path) {
        let text = std::fs::read_to_string(header).unwrap_or_default();
        let number = |name: &str| -> u32 {
            text.lines()
                .filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(name))
                .find_map(|rest| rest.trim().parse().ok())
                .unwrap_or(0)
        };
        let (major, minor) = (number("HS_MAJOR "), number("HS_MINOR "));
        if (major, minor) < (5, 4) {
            too_old(&format!("{major}.{minor}"), &header.display());
        }
    }

    /// The library that pkg-config knows, for the target; it declares the variables it reads.
    fn by_pkg_config() -> Library {
        let error = match pkg_config::Config::new().atleast_version("5.4").probe("libhs") {
            Ok(found) => {
                return Library {
                    includes: found.include_paths,
                    link_paths: found.link_paths,
                    libs: found.libs,
                };
            }
            Err(error) => error,
        };
        match error {
            pkg_config::Error::Command { .. } => fail(
                "the `native` feature needs pkg-config, which was not found",
                install("pkg-config"),
            ),
            pkg_config::Error::CrossCompilation => fail(
                format!(
                    "libhs for {} is looked for in a sysroot, and none is set",
                    env_of("TARGET")
                ),
                format!(
                    "set PKG_CONFIG_SYSROOT_DIR to it and PKG_CONFIG_PATH to its pkgconfig folder, \
                     or {DIR_VARIABLE} to a prefix with libhs for the target"
                ),
            ),
            pkg_config::Error::EnvNoPkgConfig(name) => fail(
                format!("pkg-config may not look for libhs, since {name} is set"),
                format!("unset it, or set {DIR_VARIABLE}"),
            ),
            _ => {}
        }
        // The same question without a version tells a missing library from an old one.
        match pkg_config::Config::new().cargo_metadata(false).probe("libhs") {
            Ok(old) => too_old(&old.version, &"pkg-config"),
            Err(_) => fail(
                "the `native` feature needs libhs (Hyperscan or Vectorscan 5.4 or later), which \
                 pkg-config does not find",
                packages(),
            ),
        }
    }

    fn compile(library: &Library) {
        let mut build = cc::Build::new();
        build
            .files(SOURCES)
            .includes(&library.includes)
            .std("c11")
            .warnings(true)
            .extra_warnings(true)
            .warnings_into_errors(variable(WERROR_VARIABLE).as_deref() == Some("1"));
        match build.try_compile("dragnet_hs") {
            Ok(()) => {}
            // The crate tells its kinds of errors apart in their text alone.
            Err(error) if error.to_string().starts_with("ToolNotFound") => fail(
                format!(
                    "the `native` feature needs a C compiler for {}, which was not found",
                    env_of("TARGET")
                ),
                install("gcc"),
            ),
            Err(_) => fail(
                "the C compiler failed on csrc/; what it said is above",
                format!("if it does not find hs.h, {}", packages()),
            ),
        }
    }

    /// Links a program with the library, since a library that is missing although its description
    /// is there must be an error of this build, not of whoever links with it later.
    fn check_link(library: &Library) {
        let compiler = cc::Build::new().get_compiler();
        if compiler.is_like_msvc() {
            return;
        }
        let out = PathBuf::from(env_of("OUT_DIR"));
        let source = out.join("link.c");
        let program = "#include <hs.h>\nint main(void) { return hs_version() == 0; }\n";
        if let Err(error) = std::fs::write(&source, program) {
            fail(format!("can't write {}: {error}", source.display()), "is the disk full?");
        }
        let mut command: Command = compiler.to_command();
        for path in &library.includes {
            command.arg("-I").arg(path);
        }
        command.arg(&source).arg("-o").arg(out.join("link"));
        for path in &library.link_paths {
            command.arg("-L").arg(path);
        }
        command.args(library.libs.iter().map(|lib| format!("-l{lib}")));
        match command.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                let mut last: Vec<&str> = text.lines().rev().take(3).collect();
                last.reverse();
                fail(
                    format!("libhs is described but does not link: {}", last.join(" / ")),
                    packages(),
                )
            }
            Err(error) => fail(format!("can't run the C compiler: {error}"), install("gcc")),
        }
    }

    fn too_old(version: &str, place: &dyn Display) -> ! {
        fail(
            format!("libhs is {version} ({place}), but the `native` feature needs 5.4 or later"),
            packages(),
        )
    }

    /// What to install so that libhs is there, on the systems that have it.
    fn packages() -> String {
        let debian = match target("ARCH").as_str() {
            "x86_64" | "x86" => "libhyperscan-dev",
            _ => "libvectorscan-dev",
        };
        let fedora = match target("ARCH").as_str() {
            "x86_64" | "x86" => "hyperscan-devel or vectorscan-devel",
            _ => "vectorscan-devel",
        };
        format!(
            "install it (Debian, Ubuntu: {debian}; Fedora: {fedora}; Homebrew: vectorscan), or \
             set PKG_CONFIG_PATH or {DIR_VARIABLE}"
        )
    }

    fn install(package: &str) -> String {
        format!("install {package} (a package of this name is on Debian, Ubuntu, Fedora, Homebrew)")
    }

    /// Ends the build with an error of three lines.
    fn fail(what: impl Display, remedy: impl Display) -> ! {
        println!("cargo::error={what}");
        println!("cargo::error={remedy}");
        println!("cargo::error=or build without the `native` feature: the pure engine needs no C");
        exit(1)
    }

    fn target(part: &str) -> String {
        env_of(&format!("CARGO_CFG_TARGET_{part}"))
    }

    /// A variable that cargo sets for every build script.
    fn env_of(name: &str) -> String {
        env::var(name).unwrap_or_default()
    }
}
