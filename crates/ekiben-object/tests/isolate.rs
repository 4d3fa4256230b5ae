//! Objects whose symbols become local, made and linked by real compilers.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ekiben_object::{Error, elf};

fn run(folder: &Path, words: &str) -> String {
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    let output = command.args(words).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn isolated(folder: &Path, from: &str, to: &str, init: &str, new: &str) {
    let object = fs::read(folder.join(from)).unwrap();
    let kept = BTreeMap::from([(init, new.to_owned())]);
    let isolated = elf::isolate(&object, &kept, &BTreeMap::new()).unwrap();
    assert_eq!(elf::isolate(&object, &kept, &BTreeMap::new()).unwrap(), isolated);
    fs::write(folder.join(to), isolated).unwrap();
}

/// Two modules with the same names of everything: functions, data, lists, thread-local variables,
/// templates with static variables (GNU's unique symbols), exceptions, constructors, and functions chosen
/// at start (IFUNC).
const MODULE: &str = r#"
    #include <stdexcept>
    #include <string>
    #include <vector>
    template <class T> struct Counter { static int count; static thread_local int here; };
    template <class T> int Counter<T>::count = START;
    template <class T> thread_local int Counter<T>::here = START;
    inline int &once() { static int value = START; return value; }
    struct Early { Early() { once() += 1; } } early;
    int helper = START;
    // A list to which any file may add; its bounds are the linker's.
    __attribute__((section("entries"), used)) static const int entry = START, another = START;
    extern "C" const int __start_entries[], __stop_entries[];
    extern "C" {
    static int plain() { return START; }
    static int (*choose())() { return plain; }
    int chosen() __attribute__((ifunc("choose")));
    int PyInit_x() {
        std::vector<std::string> words(3, std::string(100, 'x'));
        int caught = 0;
        try { words.at(7); } catch (const std::out_of_range &) { caught = 1; }
        Counter<int>::count += 1; Counter<int>::here += 1; helper += 1;
        if (__stop_entries - __start_entries != 2 || __start_entries[0] != START) { return -1; }
        return Counter<int>::count + Counter<int>::here + once() + helper + chosen() + caught;
    }
    }
"#;

#[test]
fn two_modules_with_the_same_names_live_in_one_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let main = "extern int one(void), two(void); int puts(const char *);\n\
        int main(void) { return one() == 55 && two() == 105 && one() == 58 ? 0 : 1; }\n";
    fs::write(folder.join("m.cc"), MODULE).unwrap();
    fs::write(folder.join("main.c"), main).unwrap();
    run(folder, "gcc -c main.c");
    for (name, start) in [("one", 10), ("two", 20)] {
        // With debugging information there are many more relocations.
        run(folder, &format!("g++ -g -O1 -fPIC -DSTART={start} -c m.cc -o {name}.o"));
        run(folder, &format!("ld -r -d --force-group-allocation {name}.o -o {name}.r"));
        isolated(folder, &format!("{name}.r"), &format!("{name}.iso.o"), "PyInit_x", name);
        let symbols = run(folder, &format!("nm --defined-only --extern-only {name}.iso.o"));
        let symbols: Vec<_> = symbols.lines().collect();
        assert!(symbols.len() == 1 && symbols[0].ends_with(&format!(" T {name}")), "{symbols:?}");
    }
    for how in ["-static", "-Wl,--gc-sections", "-fuse-ld=gold"] {
        run(folder, &format!("g++ {how} main.o one.iso.o two.iso.o -o program"));
        run(folder, "./program");
    }
}

#[test]
fn what_objcopy_makes_is_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.c"), "int v; static int w; int PyInit_x(void) { return v + ++w; }\n")
        .unwrap();
    run(folder, "gcc -O2 -fPIC -ffunction-sections -c a.c");
    run(folder, "ld -r -d --force-group-allocation a.o -o a.r");
    isolated(folder, "a.r", "a.ours", "PyInit_x", "new");
    run(folder, "objcopy --redefine-sym PyInit_x=new --keep-global-symbol=new a.r a.theirs");
    let code = |file: &str| run(folder, &format!("objdump -dr --section=.text.PyInit_x {file}"));
    let body =
        |text: String| text.split_once('\n').unwrap().1.split_once('\n').unwrap().1.to_owned();
    assert_eq!(body(code("a.ours")), body(code("a.theirs")));
    assert!(body(code("a.ours")).contains("R_X86_64"), "{}", code("a.ours"));
    run(folder, "readelf -Wa a.ours");
}

#[test]
fn what_cannot_be_isolated_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.c"), "int block; int f(void) { return block; }\n").unwrap();
    run(folder, "gcc -fcommon -c a.c");
    run(folder, "gcc -shared -fPIC a.c -o a.so");
    let object = fs::read(folder.join("a.o")).unwrap();
    let isolate = |bytes: &[u8], name: &'static str| {
        let kept = BTreeMap::from([(name, "new".to_owned())]);
        elf::isolate(bytes, &kept, &BTreeMap::new()).unwrap_err()
    };
    assert_eq!(isolate(&object, "f"), Error::Common("block".into()));
    assert_eq!(isolate(&fs::read(folder.join("a.so")).unwrap(), "f"), Error::Linked);
    assert_eq!(isolate(b"no object", "f"), Error::UnknownFormat);
    run(folder, "ld -r -d a.o -o a.r");
    let object = fs::read(folder.join("a.r")).unwrap();
    assert_eq!(isolate(&object, "g"), Error::NoSymbol("g".into()));
    for length in (0..object.len()).step_by(7) {
        // Whatever is cut off, there is no panic.
        let new = BTreeMap::from([("f", "g".to_owned())]);
        let _ = elf::isolate(&object[..length], &new, &new);
    }
}

#[test]
fn code_stays_what_it_is_when_a_file_is_stripped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.c"), "int f(int x) { return x * 3; }\n").unwrap();
    run(folder, "gcc -g -shared -fPIC a.c -o a.so");
    let whole = fs::read(folder.join("a.so")).unwrap();
    run(folder, "strip a.so");
    let stripped = fs::read(folder.join("a.so")).unwrap();
    assert!(whole.len() > stripped.len());
    assert_eq!(elf::code(&whole).unwrap(), elf::code(&stripped).unwrap());
    assert!(!elf::code(&whole).unwrap().is_empty());
}
