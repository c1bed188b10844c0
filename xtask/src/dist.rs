//! `cargo xtask dist`: sensor as a Debian package, and as an archive for systems that have no dpkg.
//!
//! The same commit gives the same bytes: names are sorted, everything belongs to root, and every time is the commit's.

mod archive;
mod copyright;
mod debian;
mod licences;
mod linked;
mod notices;
mod program;
mod tree;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use crate::{build_ebpf, cmd, crates, elf, tidy};
use linked::Linked;
use tree::Tree;

const UNIT: &str = "deploy/systemd/sensor.service";
const SAMPLE: &str = "docs/sensor.toml";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Package this program; without it, a release build of its own
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Folder for the packages; default: target/dist
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Who answers for the package; default: who made the last commit
    #[arg(long, value_name = "NAME <ADDRESS>")]
    maintainer: Option<String>,
    /// Compress little: for tests
    #[arg(long)]
    fast: bool,
}

/// The task: makes both, and says where they are.
pub(crate) fn main(args: &Args) -> Result<()> {
    let ours = Ours::read()?;
    let given = args.binary.as_deref().map(fs::canonicalize).transpose();
    let program = match given.context("could not find the program of --binary")? {
        Some(program) => program,
        None => program::build()?,
    };
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| cmd::target_dir().join("dist"));
    fs::create_dir_all(&out).with_context(|| format!("could not make {}", out.display()))?;
    let out = out.canonicalize()?; // the tools are started elsewhere
    let common = Common::gather(&ours, &program, args, &out)?;
    let packages = [
        debian::build(&ours, &common, args.fast, &out)?,
        archive::build(&ours, &common, args.fast, &out)?,
    ];
    for package in packages {
        let bytes = fs::metadata(&package)?.len();
        println!("{} ({:.1} MB)", package.display(), bytes as f64 / 1e6);
    }
    Ok(())
}

/// What the tree says of itself.
struct Ours {
    version: String,
    /// An SPDX expression, for whose licences there are files.
    licence: String,
    /// What the eBPF object says of itself to the kernel.
    programs: String,
}

impl Ours {
    fn read() -> Result<Self> {
        let all = crates::all()?;
        let sensor = all
            .into_iter()
            .find(|one| one.name == "sensor" && one.source.is_none());
        let sensor = sensor.context("cargo metadata knows no sensor")?;
        let licence = sensor
            .licence
            .context("sensor/Cargo.toml says no licence")?;
        licences::files(&licence)?;
        let object = build_ebpf::prebuilt_dir().join(build_ebpf::OBJECT);
        let bytes =
            fs::read(&object).with_context(|| format!("could not read {}", object.display()))?;
        Ok(Self {
            version: sensor.version,
            licence,
            programs: elf::licence(&bytes)?,
        })
    }
}

/// What is in both packages.
struct Common {
    /// Stripped.
    program: Vec<u8>,
    linked: Linked,
    /// Below the folder of documents.
    documents: Tree,
    /// Pages of the manual and completions, by the names that `sensor pages` gives them.
    pages: Vec<(String, Vec<u8>)>,
    /// `NAME <ADDRESS>`
    maintainer: String,
    origin: Origin,
}

impl Common {
    fn gather(ours: &Ours, program: &Path, args: &Args, out: &Path) -> Result<Self> {
        let stripped = program::stripped(program)?;
        let linked = linked::read(&stripped)
            .with_context(|| format!("could not tell what {} needs", program.display()))?;
        let origin = Origin::read()?;
        let maintainer = args.maintainer.clone();
        let committer = origin.commit.as_ref().map(|commit| commit.who.clone());
        Ok(Self {
            linked,
            program: stripped,
            documents: documents(ours)?,
            pages: pages(program, out)?,
            maintainer: maintainer.or(committer).context(
                "there is no git history to take the maintainer from; give --maintainer",
            )?,
            origin,
        })
    }
}

/// README and docs as they refer to each other, and whose work all of it is.
fn documents(ours: &Ours) -> Result<Tree> {
    let mut tree = Tree::default();
    let wanted = ["README.md", "docs/", "deploy/clickhouse/"];
    for path in tidy::source_files(&cmd::workspace_root())? {
        let path = path.to_string_lossy();
        if wanted.iter().any(|begin| path.starts_with(begin)) {
            tree.add(&path, read(&path)?);
        }
    }
    for file in licences::files(&ours.licence)? {
        tree.add(file, read(file)?);
    }
    tree.add("THIRD-PARTY.txt", notices::text(ours)?);
    // Some hundred kB in HTML, as it comes with the compiler: whose work is in the standard library.
    if let Ok(notices) = fs::read(notices::of_rust()?.join("COPYRIGHT-library.html")) {
        tree.add("COPYRIGHT-rust-library.html", notices);
    }
    Ok(tree)
}

/// What the program writes of itself.
fn pages(program: &Path, out: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let stage = Stage::new(out, "pages")?;
    // Settings of whoever builds are no part of it.
    cmd::output(
        cmd::command(program)
            .env_clear()
            .args(["--config", "/dev/null", "pages"])
            .arg(&stage.path),
    )?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(&stage.path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        pages.push((name, fs::read(entry.path())?));
    }
    pages.sort();
    Ok(pages)
}

/// A file of the tree.
fn read(path: &str) -> Result<Vec<u8>> {
    let path = cmd::workspace_root().join(path);
    fs::read(&path).with_context(|| format!("could not read {}", path.display()))
}

/// When and from what it is made.
struct Origin {
    /// Since the epoch: the time that all files have.
    seconds: u64,
    commit: Option<Commit>,
}

struct Commit {
    hash: String,
    /// Since the epoch.
    seconds: String,
    /// `NAME <ADDRESS>`
    who: String,
}

impl Origin {
    /// The time by <https://reproducible-builds.org/specs/source-date-epoch/>, or else of the last commit.
    fn read() -> Result<Self> {
        let mut git = cmd::command("git");
        let log = cmd::output(git.args(["log", "-1", "--format=%H%n%ct%n%cn <%ce>"]));
        let commit = log.ok().as_deref().and_then(Commit::new);
        let told = env::var("SOURCE_DATE_EPOCH").ok();
        let seconds = told.or(commit.as_ref().map(|commit| commit.seconds.clone()));
        let seconds = seconds.context(
            "there is no git history to take the time from; set SOURCE_DATE_EPOCH to seconds since 1970",
        )?;
        Ok(Self {
            seconds: seconds.parse().with_context(|| {
                format!("SOURCE_DATE_EPOCH is {seconds}, which is no number of seconds")
            })?,
            commit,
        })
    }

    fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.seconds)
    }
}

impl Commit {
    fn new(log: &str) -> Option<Self> {
        let mut lines = log.lines().map(str::to_owned);
        Some(Self {
            hash: lines.next()?,
            seconds: lines.next()?,
            who: lines.next()?,
        })
    }
}

/// A folder of our own that is gone when it is not used any more.
struct Stage {
    path: PathBuf,
}

impl Stage {
    /// Where the files of a package are put together.
    fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// Whole or absent: `write` is told where to write the package, and then it gets its name beside this folder.
    fn deliver(&self, name: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let unfinished = self.path.join(name);
        write(&unfinished)?;
        let place = self.path.with_file_name(name);
        fs::rename(&unfinished, &place)
            .with_context(|| format!("could not write {}", place.display()))?;
        Ok(place)
    }

    fn new(out: &Path, name: &str) -> Result<Self> {
        let path = out.join(format!(".{name}-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("could not make {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path); // what is left there says whose it was
    }
}

/// As small as it gets, without name and time.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = cmd::command("gzip");
    gzip.args(["-9", "-n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = gzip.spawn().context("could not start gzip")?;
    let mut stdin = child.stdin.take().context("gzip has no standard input")?;
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        bail!("gzip failed ({})", output.status);
    }
    Ok(output.stdout)
}
