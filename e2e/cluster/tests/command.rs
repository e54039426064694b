//! `cargo xtask cluster`, and what it leaves running.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Starts the command; it is finished by [`printed`].
fn cluster(state: &Path, arguments: &[&str]) -> Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_sluice-cluster"))
        .args(arguments)
        .env("SLUICE_CLUSTER_DIR", state)
        .stdout(Stdio::piped())
        .spawn()
        .context("the command did not start")
}

fn printed(child: Result<Child>) -> Result<String> {
    let output = child?.wait_with_output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Ends the control plane of a test that fails, too.
struct Down<'a>(&'a Path);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        drop(printed(cluster(self.0, &["down", "--wipe"])));
    }
}

fn line<'a>(status: &'a str, name: &str) -> &'a str {
    let found = status.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default().trim()
}

#[test]
fn two_processes_that_start_it_at_once_leave_one_that_goes_on_until_it_is_taken_down() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let _down = Down(&state);
    assert!(printed(cluster(&state, &["status"])).unwrap().contains("is down"));

    let both = [cluster(&state, &["up"]), cluster(&state, &["up"])].map(|it| printed(it).unwrap());
    let expected = format!(
        "export KUBECONFIG='{}'\n",
        state.join("admin.kubeconfig").display()
    );
    assert_eq!(both, [expected.clone(), expected]);
    let first = printed(cluster(&state, &["status"])).unwrap();
    assert!(line(&first, "version").starts_with("v1.34."), "{first}");
    assert!(line(&first, "etcd").starts_with("process "), "{first}");
    let address = line(&first, "address").to_owned();

    // Down and up again: the kubeconfig of before is as good as ever.
    assert_eq!(
        printed(cluster(&state, &["down"])).unwrap(),
        "The control plane is stopped.\n"
    );
    assert!(printed(cluster(&state, &["status"])).unwrap().contains("is down"));
    printed(cluster(&state, &["up"])).unwrap();
    assert_eq!(
        line(&printed(cluster(&state, &["status"])).unwrap(), "address"),
        address
    );

    fs::write(state.join("mine.txt"), "not the control plane's").unwrap();
    printed(cluster(&state, &["down", "--wipe"])).unwrap();
    let left: Vec<_> = fs::read_dir(&state)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(left, ["mine.txt"]);
}
