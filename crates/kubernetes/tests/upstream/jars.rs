//! Upstream's operator from Maven Central: its jars, and the definitions that are in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The benchmark measures the same release; the version stands there, and nowhere else.
const MODULE: &str = "../../bench/upstream/operator.xml";

/// Where the jars and the definitions are.
pub struct Upstream {
    directory: PathBuf,
}

impl Upstream {
    /// From the target directory, or, the first time, by Maven.
    pub fn find_or_fetch() -> Self {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(MODULE);
        let wanted = fs::read_to_string(&module).unwrap();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("upstream-operator");
        // Written last: what an interrupted download left is not taken for the whole.
        let complete = directory.join("complete.xml");
        if fs::read_to_string(&complete).ok().as_ref() != Some(&wanted) {
            let _ = fs::remove_dir_all(&directory);
            maven(&module, &directory);
            fs::write(complete, wanted).unwrap();
        }
        Self { directory }
    }

    /// For `java -cp`. The operator's own jar comes first, because it has classes of Flink's in it, changed.
    pub fn class_path(&self) -> String {
        let lib = self.directory.join("lib");
        let own = format!("flink-kubernetes-operator-{}.jar", self.version());
        format!("{}:{}", lib.join(own).display(), lib.join("*").display())
    }

    fn version(&self) -> String {
        let jars = fs::read_dir(self.directory.join("lib")).unwrap();
        let version = jars.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name
                .strip_prefix("flink-kubernetes-operator-")?
                .strip_suffix(".jar")?;
            version
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| version.to_owned())
        });
        version.expect("upstream's operator is among its jars")
    }

    /// The definition of FlinkSessionJobs: upstream's operator does not start without it, and Sluice has none.
    pub fn session_jobs(&self) -> String {
        let file = "crds/META-INF/fabric8/flinksessionjobs.flink.apache.org-v1.yml";
        fs::read_to_string(self.directory.join(file)).unwrap()
    }
}

fn maven(module: &Path, into: &Path) {
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(module)
        .arg(format!("-Dto={}", into.display()))
        .arg("package")
        .output()
        .expect("this test needs Maven, `mvn`, to fetch upstream's operator");
    assert!(
        output.status.success(),
        "Maven could not fetch upstream's operator:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
